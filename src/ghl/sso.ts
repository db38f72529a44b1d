/**
 * Who opened our page inside GHL. GHL hands the page a string that only the app's shared secret opens: CryptoJS'
 * `AES.encrypt(json, passphrase)`, which is OpenSSL's salted format. It has no authentication tag and no time of its own
 * (ghl.md 9), so it is good for one thing: to be exchanged at once for a short token of ours.
 *
 * Without a tag a payload can be altered block by block. Every such change garbles sixteen bytes, which the strict reading
 * of UTF-8, JSON and shape refuses.
 */
import { createDecipheriv, createHash } from 'node:crypto'
import { z } from 'zod'
import { type LocationId, parseLocationId } from '../core/ids.ts'

/** A payload of GHL's has some 500 characters. */
const LONGEST = 8_192
const MAGIC = Buffer.from('Salted__')
const SALT_BYTES = 8
const KEY_BYTES = 32
const IV_BYTES = 16
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/

const locationId = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/)
  .transform(parseLocationId)

const Context = z.looseObject({
  userId: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  companyId: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  role: z.enum(['admin', 'user']),
  /** `agency` with a location that is open: an agency's user inside a location. */
  type: z.enum(['agency', 'location']),
  activeLocation: locationId.optional(),
  whitelabelDetails: z
    .looseObject({ domain: z.string().optional().catch(undefined) })
    .nullish()
    .catch(undefined),
})

export interface PageUser {
  readonly userId: string
  readonly companyId: string
  readonly role: 'admin' | 'user'
  readonly locationId: LocationId
  /** Under which the agency shows GHL. */
  readonly whiteLabelDomain: string | undefined
}

/** The person inside a location behind GHL's payload; `undefined` for everything else, whatever is wrong with it. */
export function openPageUser(payload: string, sharedSecret: string): PageUser | undefined {
  const json = decrypt(payload, sharedSecret)
  const context = json === undefined ? undefined : Context.safeParse(json).data
  if (context?.activeLocation === undefined) return undefined
  const { userId, companyId, role, activeLocation, whitelabelDetails } = context
  return {
    userId,
    companyId,
    role,
    locationId: activeLocation,
    whiteLabelDomain: domainOf(whitelabelDetails?.domain),
  }
}

function decrypt(payload: string, sharedSecret: string): unknown {
  if (payload.length > LONGEST || !BASE64.test(payload)) return undefined
  const bytes = Buffer.from(payload, 'base64')
  const head = MAGIC.length + SALT_BYTES
  if (bytes.length <= head || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined
  const material = derive(Buffer.from(sharedSecret), bytes.subarray(MAGIC.length, head))
  try {
    const decipher = createDecipheriv(
      'aes-256-cbc',
      material.subarray(0, KEY_BYTES),
      material.subarray(KEY_BYTES),
    )
    const plain = Buffer.concat([decipher.update(bytes.subarray(head)), decipher.final()])
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(plain))
  } catch {
    return undefined
  }
}

/** OpenSSL's EVP_BytesToKey with MD5 and one round: each block is the digest of the one before, the secret and the salt. */
function derive(secret: Buffer, salt: Buffer): Buffer {
  let block = Buffer.alloc(0)
  let material = Buffer.alloc(0)
  while (material.length < KEY_BYTES + IV_BYTES) {
    block = createHash('md5').update(block).update(secret).update(salt).digest()
    material = Buffer.concat([material, block])
  }
  return material.subarray(0, KEY_BYTES + IV_BYTES)
}

const HOST = /^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/

/** A bare host name in lower case, `undefined` for what is none: it goes into a security header. */
export function domainOf(text: string | null | undefined): string | undefined {
  const host = (text ?? '')
    .trim()
    .toLowerCase()
    .replace(/^https?:\/\//, '')
    .replace(/[/:].*$/, '')
  return HOST.test(host) ? host : undefined
}
