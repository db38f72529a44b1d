// What the phone's owner does when linking a companion: sign the companion's identity, and, with a pairing code
// instead of a QR, agree on the ADV secret that the QR would have carried.
import { createHmac, randomBytes } from 'node:crypto'
import {
  aesDecryptCTR,
  aesDecryptGCM,
  aesEncryptCTR,
  Curve,
  derivePairingCodeKey,
  hkdf,
  type KeyPair,
  proto,
} from '@whiskeysockets/baileys'
import { SandboxError } from './errors.ts'
import type { SignalDevice } from './signal-device.ts'
import { verifyXeddsa } from './xeddsa.ts'

const ACCOUNT_SIGNATURE_PREFIX = Buffer.from([6, 0])
const DEVICE_SIGNATURE_PREFIX = Buffer.from([6, 1])
const EMPTY = Buffer.alloc(0)

interface CompanionIdentity {
  readonly identityKey: Uint8Array
  readonly keyIndex: number
}

/** The signed device identity with its HMAC: the content of `pair-success`. */
export function signCompanion(
  phone: SignalDevice,
  companion: CompanionIdentity,
  advSecret: Uint8Array,
): { details: Uint8Array; hmacEnvelope: Uint8Array } {
  const details = proto.ADVDeviceIdentity.encode({
    rawId: randomBytes(4).readUInt32BE(),
    timestamp: Math.floor(Date.now() / 1000),
    keyIndex: companion.keyIndex,
    accountType: proto.ADVEncryptionType.E2EE,
    deviceType: proto.ADVEncryptionType.E2EE,
  }).finish()
  const signed = proto.ADVSignedDeviceIdentity.encode({
    details,
    accountSignatureKey: phone.identityKey,
    accountSignature: phone.sign(Buffer.concat([ACCOUNT_SIGNATURE_PREFIX, details, companion.identityKey])),
  }).finish()
  const hmac = createHmac('sha256', advSecret).update(signed).digest()
  return {
    details,
    hmacEnvelope: proto.ADVSignedDeviceIdentityHMAC.encode({ details: signed, hmac }).finish(),
  }
}

/** Whether the companion's answer is a valid signature over the identity that the phone signed. */
export function isCompanionAnswerValid(
  answer: Uint8Array,
  details: Uint8Array,
  companion: CompanionIdentity,
  phoneIdentityKey: Uint8Array,
): boolean {
  const { deviceSignature } = proto.ADVSignedDeviceIdentity.decode(answer)
  if (!deviceSignature) return false
  const signed = Buffer.concat([DEVICE_SIGNATURE_PREFIX, details, companion.identityKey, phoneIdentityKey])
  return verifyXeddsa(companion.identityKey, signed, deviceSignature)
}

interface WrappedKey {
  readonly salt: Buffer
  readonly iv: Buffer
  readonly ciphertext: Buffer
}

function splitWrapped(bytes: Buffer, ivBytes: number): WrappedKey {
  return {
    salt: bytes.subarray(0, 32),
    iv: bytes.subarray(32, 32 + ivBytes),
    ciphertext: bytes.subarray(32 + ivBytes),
  }
}

/** The phone's half of one pairing-code exchange. */
export class PairingCodeExchange {
  readonly #ephemeral: KeyPair = Curve.generateKeyPair()
  readonly #phone: SignalDevice
  readonly #companionEphemeral: Buffer
  readonly #code: string

  private constructor(phone: SignalDevice, code: string, companionEphemeral: Buffer) {
    this.#phone = phone
    this.#code = code
    this.#companionEphemeral = companionEphemeral
  }

  /** Unwraps the companion's key with the code that a person typed; a wrong code shows only in `finish`. */
  static async begin(phone: SignalDevice, code: string, wrapped: Buffer): Promise<PairingCodeExchange> {
    const { salt, iv, ciphertext } = splitWrapped(wrapped, 16)
    const key = await derivePairingCodeKey(code, salt)
    return new PairingCodeExchange(phone, code, aesDecryptCTR(ciphertext, key, iv))
  }

  async wrappedEphemeral(): Promise<Buffer> {
    const salt = randomBytes(32)
    const iv = randomBytes(16)
    const key = await derivePairingCodeKey(this.#code, salt)
    return Buffer.concat([salt, iv, aesEncryptCTR(this.#ephemeral.public, key, iv)])
  }

  /**
   * Opens the companion's key bundle and derives the ADV secret both sides now share.
   *
   * @throws {SandboxError} `PAIRING_CODE_WRONG`
   */
  finish(wrappedBundle: Buffer, companionIdentity: Uint8Array): Uint8Array {
    const shared = Curve.sharedKey(this.#ephemeral.private, this.#companionEphemeral)
    const { salt, iv, ciphertext } = splitWrapped(wrappedBundle, 12)
    const key = hkdf(shared, 32, { salt, info: 'link_code_pairing_key_bundle_encryption_key' })
    const bundle = openBundle(ciphertext, key, iv)
    const claimed = bundle.subarray(0, 32)
    const random = bundle.subarray(64)
    if (!claimed.equals(companionIdentity) || !bundle.subarray(32, 64).equals(this.#phone.identityKey)) {
      throw new SandboxError(
        'PAIRING_CODE_WRONG',
        'the key bundle names other identities; ask for a new code',
      )
    }
    const identityShared = Curve.sharedKey(this.#phone.creds.signedIdentityKey.private, claimed)
    return hkdf(Buffer.concat([shared, identityShared, random]), 32, { info: 'adv_secret' })
  }
}

function openBundle(ciphertext: Buffer, key: Uint8Array, iv: Buffer): Buffer {
  try {
    return aesDecryptGCM(ciphertext, key, iv, EMPTY)
  } catch (cause) {
    throw new SandboxError('PAIRING_CODE_WRONG', 'this is not the code the companion shows; type it again', {
      cause,
    })
  }
}
