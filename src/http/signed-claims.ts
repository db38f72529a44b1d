/** Short claims that we signed ourselves: nothing of them is kept, so every node accepts them. Signed, not encrypted. */
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'

export interface ClaimSigner {
  sign(claims: object): string
  /** What was signed; `undefined` for a token that is not ours or was changed. */
  read(token: string): unknown
}

export interface SignerWish {
  /** Tells one kind of token from others without checking it. */
  readonly prefix: string
  /** Names the purpose of the derived key. */
  readonly info: string
  /** base64 of 32 bytes each: the first signs, all verify. */
  readonly encryptionKeys: readonly string[]
  /** Part of the key: tokens end when it changes. */
  readonly salt: string
}

export function createClaimSigner({ prefix, info, encryptionKeys, salt }: SignerWish): ClaimSigner {
  const keys = encryptionKeys.map((key) =>
    Buffer.from(hkdfSync('sha256', Buffer.from(key, 'base64'), salt, `ghl-whatsapp-bridge/${info}`, 32)),
  )
  const [signing] = keys
  if (signing === undefined) throw new TypeError('encryptionKeys must not be empty')
  const macOf = (key: Buffer, claims: string): Buffer => createHmac('sha256', key).update(claims).digest()

  return {
    sign(values) {
      const claims = Buffer.from(JSON.stringify(values)).toString('base64url')
      return `${prefix}${claims}.${macOf(signing, claims).toString('base64url')}`
    },
    read(token) {
      const [claims = '', mac = ''] = token.startsWith(prefix) ? token.slice(prefix.length).split('.') : []
      const given = Buffer.from(mac, 'base64url')
      const isOurs = keys.some((key) => {
        const expected = macOf(key, claims)
        return given.length === expected.length && timingSafeEqual(given, expected)
      })
      return isOurs ? (JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')) as unknown) : undefined
    },
  }
}
