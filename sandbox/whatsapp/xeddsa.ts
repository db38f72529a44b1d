import { createPublicKey, verify } from 'node:crypto'

const PRIME = 2n ** 255n - 19n

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  for (let b = base % PRIME, e = exponent; e > 0n; e >>= 1n, b = (b * b) % PRIME) {
    if (e & 1n) result = (result * b) % PRIME
  }
  return result
}

function littleEndianToBigInt(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)
}

/**
 * Verifies an XEdDSA signature, the kind Signal makes with Curve25519 keys, and says whether it holds.
 *
 * Maps the Montgomery key to its Edwards form, y = (u - 1) / (u + 1); the sign bit travels in the signature's
 * last bit. The rest is plain Ed25519.
 *
 * @see https://signal.org/docs/specifications/xeddsa/
 */
export function verifyXeddsa(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false
  const u = littleEndianToBigInt(publicKey)
  const y = ((u - 1n + PRIME) * power(u + 1n, PRIME - 2n)) % PRIME
  const edwards = Buffer.from(y.toString(16).padStart(64, '0'), 'hex').reverse()
  edwards.writeUInt8(edwards.readUInt8(31) | ((signature[63] ?? 0) & 0x80), 31)
  const plain = Buffer.from(signature)
  plain.writeUInt8(plain.readUInt8(63) & 0x7f, 63)
  const key = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: edwards.toString('base64url') },
    format: 'jwk',
  })
  return verify(null, message, key, plain)
}
