/**
 * The user context of a custom page: JSON in OpenSSL's salted format, as CryptoJS makes it. Base64 of `Salted__`,
 * eight bytes of salt and the ciphertext; AES-256-CBC; key and IV by one round of MD5 per block.
 */
import { createCipheriv, createHash, randomBytes } from 'node:crypto'
import type { SandboxParts } from './sandbox-parts.ts'

export interface SsoUser {
  /** The location that is open; absent in the agency view. */
  locationId?: string | undefined
  role?: 'admin' | 'user' | undefined
  type?: 'agency' | 'location' | undefined
  userId?: string | undefined
  userName?: string | undefined
  email?: string | undefined
  isAgencyOwner?: boolean | undefined
  /** Another agency's page; default: this one's. */
  companyId?: string | undefined
}

const KEY_BYTES = 32
const IV_BYTES = 16

/** An agency's user inside a location stays of the type `agency`, with a location that is open. */
export function ssoPayload(parts: SandboxParts, user: SsoUser): string {
  const { app, settings, sharedSecret, world } = parts
  const context = {
    userId: user.userId ?? world.userId,
    companyId: user.companyId ?? world.companyId,
    role: user.role ?? 'admin',
    type: user.type ?? (user.locationId === undefined ? 'agency' : 'location'),
    ...(user.locationId === undefined ? {} : { activeLocation: user.locationId }),
    userName: user.userName ?? 'Sandbox Agent',
    email: user.email ?? 'agent@example.com',
    isAgencyOwner: user.isAgencyOwner ?? false,
    versionId: world.locations.get(user.locationId ?? '')?.versionId ?? app.versionId,
    appStatus: 'live',
    whitelabelDetails: settings.whitelabel ?? {},
  }
  const salt = randomBytes(8)
  const keyMaterial = derived(Buffer.from(sharedSecret), salt, KEY_BYTES + IV_BYTES)
  const cipher = createCipheriv(
    'aes-256-cbc',
    keyMaterial.subarray(0, KEY_BYTES),
    keyMaterial.subarray(KEY_BYTES),
  )
  const sealed = Buffer.concat([cipher.update(JSON.stringify(context)), cipher.final()])
  return Buffer.concat([Buffer.from('Salted__'), salt, sealed]).toString('base64')
}

/** OpenSSL's EVP_BytesToKey: each block is the digest of the one before, the secret and the salt. */
function derived(secret: Buffer, salt: Buffer, lengthBytes: number): Buffer {
  let block = Buffer.alloc(0)
  let material = Buffer.alloc(0)
  while (material.length < lengthBytes) {
    block = createHash('md5').update(block).update(secret).update(salt).digest()
    material = Buffer.concat([material, block])
  }
  return material.subarray(0, lengthBytes)
}
