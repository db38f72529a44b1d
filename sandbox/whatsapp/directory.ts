// Who exists: accounts with their two addresses (PN and LID), the devices of each, and the public keys that
// others need to start a Signal session with a device.
import { createHash } from 'node:crypto'
import { jidDecode, jidEncode } from '@whiskeysockets/baileys'
import { SandboxError } from './errors.ts'

export type Addressing = 'pn' | 'lid'

export interface PublicPreKey {
  readonly keyId: number
  readonly publicKey: Uint8Array
}

export interface SignedPublicPreKey extends PublicPreKey {
  readonly signature: Uint8Array
}

/** Device 0 is the phone; companions count from 1 and are never reused. */
export interface Device {
  readonly id: number
  readonly keyIndex: number
  readonly registrationId: number
  /** 32 bytes, without the type byte. */
  readonly identityKey: Uint8Array
  signedPreKey: SignedPublicPreKey
  oneTimePreKeys: PublicPreKey[]
  /** Noise key of a companion; the phone has no socket and so none. */
  readonly noiseKey: Uint8Array | undefined
  historySent: boolean
}

export interface Account {
  /** Digits, with country code, without plus sign. */
  readonly phone: string
  readonly lidUser: string
  name: string
  /** Known by its LID alone: no stanza, query or history tells its number. */
  hidesNumber: boolean
  readonly devices: Map<number, Device>
  nextDeviceId: number
}

export interface DeviceAddress {
  readonly account: Account
  readonly deviceId: number
}

export interface PreKeyBundle {
  readonly registrationId: number
  readonly identityKey: Uint8Array
  readonly signedPreKey: SignedPublicPreKey
  readonly preKey: PublicPreKey | undefined
}

export function deviceJid({ account, deviceId }: DeviceAddress, addressing: Addressing): string {
  return addressing === 'lid'
    ? jidEncode(account.lidUser, 'lid', deviceId)
    : jidEncode(account.phone, 's.whatsapp.net', deviceId)
}

export function accountJid(account: Account, addressing: Addressing): string {
  return deviceJid({ account, deviceId: 0 }, addressing)
}

/** The account's JID in this form, if others may know it. */
export function knownJid(account: Account, addressing: Addressing): string | undefined {
  return addressing === 'pn' && account.hidesNumber ? undefined : accountJid(account, addressing)
}

export function addressingOf(jid: string): Addressing {
  return jid.endsWith('@lid') ? 'lid' : 'pn'
}

export function addressKey({ account, deviceId }: DeviceAddress): string {
  return `${account.phone}:${deviceId}`
}

/** Fifteen digits that no phone number has, the same for the same number in every run. */
function lidUserFor(phone: string): string {
  const number = createHash('sha256').update(phone).digest().readUIntBE(0, 6) % 10 ** 14
  return `9${String(number).padStart(14, '0')}`
}

export class Directory {
  readonly #byPhone = new Map<string, Account>()
  readonly #byLid = new Map<string, Account>()
  /** Called when a bundle left fewer one-time keys than the owner should keep. */
  onPreKeysLow: (address: DeviceAddress, remaining: number) => void = () => undefined

  /** @throws {SandboxError} `ACCOUNT_EXISTS`, `REQUEST_INVALID` */
  add(phone: string, name: string, lid?: string): Account {
    if (!/^\d{7,15}$/.test(phone)) {
      throw new SandboxError('REQUEST_INVALID', 'a phone number is 7 to 15 digits with country code')
    }
    const lidUser = lid === undefined ? lidUserFor(phone) : (lid.split('@')[0] ?? lid)
    if (this.#byPhone.has(phone) || this.#byLid.has(lidUser)) {
      throw new SandboxError('ACCOUNT_EXISTS', 'this number or LID is already an account; use another one')
    }
    const account: Account = {
      phone,
      lidUser,
      name,
      hidesNumber: false,
      devices: new Map(),
      nextDeviceId: 1,
    }
    this.#byPhone.set(phone, account)
    this.#byLid.set(lidUser, account)
    return account
  }

  /** Finds by bare digits or by any JID form, device part ignored. */
  find(jidOrPhone: string): Account | undefined {
    if (!jidOrPhone.includes('@')) return this.#byPhone.get(jidOrPhone.replace(/^\+/, ''))
    const decoded = jidDecode(jidOrPhone)
    if (!decoded) return undefined
    return decoded.server === 'lid' ? this.#byLid.get(decoded.user) : this.#byPhone.get(decoded.user)
  }

  /** Finds a device that exists now; a JID without device part means the phone. */
  findDevice(jid: string): DeviceAddress | undefined {
    const account = this.find(jid)
    const deviceId = jidDecode(jid)?.device ?? 0
    return account?.devices.has(deviceId) ? { account, deviceId } : undefined
  }

  accounts(): Account[] {
    return [...this.#byPhone.values()]
  }

  /** Takes one one-time key away, as a fetch does on the real server. */
  takeBundle(address: DeviceAddress): PreKeyBundle | undefined {
    const device = address.account.devices.get(address.deviceId)
    if (!device) return undefined
    const preKey = device.oneTimePreKeys.shift()
    const { registrationId, identityKey, signedPreKey } = device
    this.onPreKeysLow(address, device.oneTimePreKeys.length)
    return { registrationId, identityKey, signedPreKey, preKey }
  }
}
