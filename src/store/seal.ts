/**
 * Sealing at rest: AES-256-GCM with a key per scope (a session, a location), derived from ENCRYPTION_KEY.
 *
 * A sealed value is base64 of: format (1 byte), key id (1 byte), IV (12), tag (16), ciphertext. The associated data binds
 * scope, kind and id, so that a value moved to another row does not open. Several keys may be given while rotating: the
 * first seals, all open.
 */
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto'
import { isUnsealable, StoreError } from '../core/errors.ts'

/** Where a sealed value belongs. */
export interface SealedPlace {
  /** Whose key: `session:<id>`, `location:<id>`, `company:<id>`, `app`. */
  readonly scope: string
  readonly kind: string
  /** Unique within scope and kind. */
  readonly id: string
}

export interface Seal {
  seal(place: SealedPlace, plain: string | Uint8Array): string
  /** @throws {StoreError} `STORE_UNSEALABLE`: wrong key, or not the value that was sealed for this place. */
  open(place: SealedPlace, sealed: string): Buffer
  openText(place: SealedPlace, sealed: string): string
}

/** What `open` gives, `undefined` where its key is gone: one value that does not open hides no other. */
export function ifItOpens<T>(open: () => T): T | undefined {
  try {
    return open()
  } catch (thrown) {
    if (isUnsealable(thrown)) return undefined
    throw thrown
  }
}

const FORMAT = 1
const IV_BYTES = 12
const TAG_BYTES = 16
const HEADER_BYTES = 2 + IV_BYTES + TAG_BYTES

interface MasterKey {
  /** First byte of the key's SHA-256: says which key without telling anything about it. Two keys may share one. */
  readonly id: number
  readonly bytes: Buffer
  readonly derived: Map<string, Buffer>
}

/** @param encryptionKeys base64 of 32 bytes each. */
export function createSeal(encryptionKeys: readonly string[]): Seal {
  const keys = encryptionKeys.map((text): MasterKey => {
    const bytes = Buffer.from(text, 'base64')
    return { id: createHash('sha256').update(bytes).digest()[0] ?? 0, bytes, derived: new Map() }
  })
  const [sealing] = keys
  if (sealing === undefined || keys.some(({ bytes }) => bytes.length !== 32))
    throw new TypeError('encryptionKeys must be one or more times base64 of 32 bytes')

  const open = (place: SealedPlace, sealed: string): Buffer => {
    const value = Buffer.from(sealed, 'base64')
    if (value.length < HEADER_BYTES || value[0] !== FORMAT) throw unsealable(place)
    for (const key of keys.filter(({ id }) => id === value[1])) {
      const plain = decrypt(scopeKey(key, place.scope), place, value)
      if (plain !== undefined) return plain
    }
    throw unsealable(place)
  }
  return {
    seal: (place, plain) => encrypt(sealing, place, plain),
    open,
    openText: (place, sealed) => open(place, sealed).toString('utf8'),
  }
}

function encrypt(key: MasterKey, place: SealedPlace, plain: string | Uint8Array): string {
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv('aes-256-gcm', scopeKey(key, place.scope), iv).setAAD(associatedData(place))
  const ciphertext = Buffer.concat([cipher.update(plain as string, 'utf8'), cipher.final()]) // the encoding is passed over for bytes
  return Buffer.concat([Buffer.of(FORMAT, key.id), iv, cipher.getAuthTag(), ciphertext]).toString('base64')
}

/** `undefined` when this key does not open it. */
function decrypt(key: Buffer, place: SealedPlace, value: Buffer): Buffer | undefined {
  const iv = value.subarray(2, 2 + IV_BYTES)
  const tag = value.subarray(2 + IV_BYTES, HEADER_BYTES)
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES })
    .setAAD(associatedData(place))
    .setAuthTag(tag)
  const plain = decipher.update(value.subarray(HEADER_BYTES))
  try {
    return Buffer.concat([plain, decipher.final()])
  } catch {
    return undefined
  }
}

function scopeKey(key: MasterKey, scope: string): Buffer {
  const known = key.derived.get(scope)
  if (known !== undefined) return known
  const derived = Buffer.from(hkdfSync('sha256', key.bytes, '', `ghl-whatsapp-bridge/${scope}`, 32))
  key.derived.set(scope, derived)
  return derived
}

// JSON, because joining with a separator could make two places look alike.
const associatedData = ({ scope, kind, id }: SealedPlace): Buffer =>
  Buffer.from(JSON.stringify([scope, kind, id]))

function unsealable({ scope, kind }: SealedPlace): StoreError {
  return new StoreError('STORE_UNSEALABLE', 'A sealed value cannot be opened', {
    action:
      'Set ENCRYPTION_KEY to the key it was sealed with (the former one may follow the new one, after a comma).',
    details: { scope, kind },
  })
}
