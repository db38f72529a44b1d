// Sockets that are not linked yet. A registration lives as long as its socket:
// refs sent -> (QR scanned | pairing code entered) -> pair-success sent -> device signed -> 515, login follows.
import { randomBytes } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { type BinaryNode, S_WHATSAPP_NET } from '@whiskeysockets/baileys'
import type { Connection } from './connection.ts'
import type { Counters } from './counters.ts'
import { type Device, type DeviceAddress, deviceJid } from './directory.ts'
import { SandboxError } from './errors.ts'
import type { ClientFinish } from './noise.ts'
import { isCompanionAnswerValid, PairingCodeExchange, signCompanion } from './pairing-crypto.ts'
import type { Phone } from './phone.ts'
import { bytesOf, child, iqResult, stanza, textOf, unixSeconds } from './stanzas.ts'
import { waitUntil } from './wait.ts'

const REF_COUNT = 6
const LINK_TIMEOUT_MS = 20_000
/** How long the owner waits for the phone to ask for a code. */
const CODE_PROMPT_TIMEOUT_MS = 3000

/** What the companion said about itself in its client finish. */
interface Candidate {
  readonly noiseKey: Uint8Array
  readonly identityKey: Uint8Array
  readonly registrationId: number
  readonly signedPreKey: Device['signedPreKey']
}

interface CodeRequest {
  readonly phoneNumber: string
  readonly wrappedEphemeral: Buffer
  readonly ref: string
  exchange?: { phone: Phone; value: PairingCodeExchange }
}

interface Linking {
  readonly phone: Phone
  readonly keyIndex: number
  readonly details: Uint8Array
}

interface Registration {
  readonly connection: Connection
  readonly candidate: Candidate
  readonly refs: readonly string[]
  readonly retiredSecrets: Set<string>
  codeRequest?: CodeRequest
  linking?: Linking
  /** Settles the scan or code entry that is under way. */
  done?: { resolve(address: DeviceAddress): void; reject(error: Error): void }
}

interface QrText {
  readonly ref: string
  readonly noiseKey: string
  readonly identityKey: string
  readonly advSecret: string
}

/** Reads what a phone's camera reads. @throws {SandboxError} `QR_MALFORMED` */
function parseQr(text: string): QrText {
  const [ref, noiseKey, identityKey, advSecret] = text.slice(text.indexOf('#') + 1).split(',')
  if (!ref || !noiseKey || !identityKey || !advSecret) {
    throw new SandboxError('QR_MALFORMED', 'a QR text is ref,noiseKey,identityKey,advSecret[,platform]')
  }
  return { ref, noiseKey, identityKey, advSecret }
}

function parseCandidate({ noiseKey, payload }: ClientFinish): Candidate {
  const { eIdent, eRegid, eSkeyId, eSkeyVal, eSkeySig } = payload.devicePairingData ?? {}
  if (!eIdent || !eRegid || !eSkeyId || !eSkeyVal || !eSkeySig) {
    throw new SandboxError('HANDSHAKE_INVALID', 'the registration payload lacks keys')
  }
  return {
    noiseKey,
    identityKey: eIdent,
    registrationId: Buffer.from(eRegid).readUInt32BE(),
    signedPreKey: {
      keyId: Buffer.from(eSkeyId).readUIntBE(0, 3),
      publicKey: eSkeyVal,
      signature: eSkeySig,
    },
  }
}

export class Registrations extends EventEmitter<{ codeRequested: [] }> {
  readonly #open = new Map<Connection, Registration>()
  readonly #counters: Counters

  constructor(counters: Counters) {
    super()
    this.#counters = counters
  }

  get count(): number {
    return this.#open.size
  }

  begin(connection: Connection, finish: ClientFinish): void {
    const refs = Array.from({ length: REF_COUNT }, () => `2@${randomBytes(96).toString('base64')}`)
    this.#open.set(connection, {
      connection,
      candidate: parseCandidate(finish),
      refs,
      retiredSecrets: new Set(),
    })
    const refStanzas = refs.map((ref) => stanza('ref', {}, Buffer.from(ref)))
    connection.send(
      stanza('iq', { from: S_WHATSAPP_NET, type: 'set', id: nextId(), xmlns: 'md' }, [
        stanza('pair-device', {}, refStanzas),
      ]),
    )
  }

  end(connection: Connection): void {
    const registration = this.#open.get(connection)
    this.#open.delete(connection)
    registration?.done?.reject(new SandboxError('PAIRING_REFUSED', 'the companion closed its socket'))
  }

  /**
   * The phone scans a QR. Resolves when the companion has signed and is registered.
   *
   * @throws {SandboxError} `QR_MALFORMED`, `QR_EXPIRED`, `QR_KEYS_MISMATCH`, `QR_SECRET_RETIRED`, `PAIRING_REFUSED`
   */
  async scan(phone: Phone, qrText: string): Promise<DeviceAddress> {
    const qr = parseQr(qrText)
    const registration = this.#findByQr(qr)
    if (registration.retiredSecrets.has(qr.advSecret)) {
      throw new SandboxError(
        'QR_SECRET_RETIRED',
        'this QR was replaced after a refresh; scan the current one',
      )
    }
    return await this.#link(registration, phone, Buffer.from(qr.advSecret, 'base64'))
  }

  /** Retires the secret of the QR that is shown and tells the companion, as the service does since July 2026. */
  refresh(qrText: string): void {
    const qr = parseQr(qrText)
    const registration = this.#findByQr(qr)
    registration.retiredSecrets.add(qr.advSecret)
    registration.connection.send(
      stanza('notification', {
        from: S_WHATSAPP_NET,
        type: 'companion_reg_refresh',
        id: nextId(),
        t: unixSeconds(),
      }),
    )
  }

  /**
   * The phone's owner types the code that the companion shows. Resolves when the companion is registered.
   *
   * @throws {SandboxError} `PAIRING_NOT_REQUESTED`, `PAIRING_CODE_WRONG`, `PAIRING_REFUSED`
   */
  async enterCode(phone: Phone, code: string): Promise<DeviceAddress> {
    const { registration, request } = await this.#codePrompt(phone.account.phone)
    const typed = code.replaceAll('-', '').toUpperCase()
    const value = await PairingCodeExchange.begin(phone.signal, typed, request.wrappedEphemeral)
    request.exchange = { phone, value }
    registration.connection.send(
      stanza(
        'notification',
        { from: S_WHATSAPP_NET, type: 'link_code_companion_reg', id: nextId(), t: unixSeconds() },
        [
          stanza('link_code_companion_reg', { stage: 'primary_hello' }, [
            stanza('link_code_pairing_wrapped_primary_ephemeral_pub', {}, await value.wrappedEphemeral()),
            stanza('primary_identity_pub', {}, phone.signal.identityKey),
            stanza('link_code_pairing_ref', {}, Buffer.from(request.ref)),
          ]),
        ],
      ),
    )
    return await this.#completion(registration)
  }

  /** `iq md set link_code_companion_reg`, first and last stage. Returns the answer. */
  onLinkCode(connection: Connection, request: BinaryNode): BinaryNode | undefined {
    const registration = this.#open.get(connection)
    const node = child(request, 'link_code_companion_reg')
    if (!registration || !node) return undefined
    if (node.attrs['stage'] === 'companion_hello') return this.#onCompanionHello(registration, request, node)
    if (node.attrs['stage'] === 'companion_finish') {
      // Answered first: the companion counts as registered before it hears of the pairing.
      connection.send(iqResult(request))
      this.#onCompanionFinish(registration, node)
    }
    return undefined
  }

  /** The companion's answer to pair-success. */
  onPairSigned(connection: Connection, result: BinaryNode): void {
    const registration = this.#open.get(connection)
    const answer = child(child(result, 'pair-device-sign'), 'device-identity')
    const linking = registration?.linking
    if (!registration || !answer || !linking) return
    const { phone, keyIndex, details } = linking
    const companion = { identityKey: registration.candidate.identityKey, keyIndex }
    if (!isCompanionAnswerValid(bytesOf(answer), details, companion, phone.signal.identityKey)) {
      registration.done?.reject(new SandboxError('PAIRING_REFUSED', 'the companion signed something else'))
      connection.close()
      return
    }
    const address = register(registration, linking)
    this.#counters.pairings += 1
    this.#open.delete(connection)
    connection.send(stanza('stream:error', { code: '515' }))
    connection.close()
    registration.done?.resolve(address)
  }

  async #codePrompt(phoneNumber: string): Promise<{ registration: Registration; request: CodeRequest }> {
    const attempt = () => {
      for (const registration of [...this.#open.values()].reverse()) {
        const request = registration.codeRequest
        if (request?.phoneNumber === phoneNumber) return { registration, request }
      }
      return undefined
    }
    const prompt = waitUntil(
      this,
      ['codeRequested'],
      attempt,
      CODE_PROMPT_TIMEOUT_MS,
      'the request for a code',
    )
    return await prompt.catch((cause: unknown) => {
      throw new SandboxError('PAIRING_NOT_REQUESTED', 'no companion has asked this number for a code', {
        cause,
      })
    })
  }

  #findByQr(qr: QrText): Registration {
    const registration = [...this.#open.values()].find(({ refs }) => refs.includes(qr.ref))
    if (!registration) throw new SandboxError('QR_EXPIRED', 'no open companion shows this QR any more')
    const { noiseKey, identityKey } = registration.candidate
    const same =
      Buffer.from(qr.noiseKey, 'base64').equals(noiseKey) &&
      Buffer.from(qr.identityKey, 'base64').equals(identityKey)
    if (!same) throw new SandboxError('QR_KEYS_MISMATCH', 'the QR carries other keys than its socket uses')
    return registration
  }

  #onCompanionHello(registration: Registration, request: BinaryNode, node: BinaryNode): BinaryNode {
    const ref = randomBytes(12).toString('base64url')
    registration.codeRequest = {
      phoneNumber: (node.attrs['jid'] ?? '').split('@')[0] ?? '',
      wrappedEphemeral: bytesOf(child(node, 'link_code_pairing_wrapped_companion_ephemeral_pub')),
      ref,
    }
    this.emit('codeRequested')
    return iqResult(request, [
      stanza('link_code_companion_reg', { stage: 'companion_hello' }, [
        stanza('link_code_pairing_ref', {}, Buffer.from(ref)),
      ]),
    ])
  }

  #onCompanionFinish(registration: Registration, node: BinaryNode): void {
    const request = registration.codeRequest
    if (!request?.exchange || textOf(child(node, 'link_code_pairing_ref')) !== request.ref) return
    const { phone, value } = request.exchange
    // A code serves once, right or wrong.
    delete registration.codeRequest
    try {
      const bundle = bytesOf(child(node, 'link_code_pairing_wrapped_key_bundle'))
      this.#sendPairSuccess(registration, phone, value.finish(bundle, registration.candidate.identityKey))
    } catch (error) {
      registration.done?.reject(error instanceof Error ? error : new Error(String(error)))
    }
  }

  async #link(registration: Registration, phone: Phone, advSecret: Uint8Array): Promise<DeviceAddress> {
    const completion = this.#completion(registration)
    this.#sendPairSuccess(registration, phone, advSecret)
    return await completion
  }

  #completion(registration: Registration): Promise<DeviceAddress> {
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(() => {
        reject(
          new SandboxError('PAIRING_REFUSED', `the companion did not answer within ${LINK_TIMEOUT_MS} ms`),
        )
      }, LINK_TIMEOUT_MS)
      registration.done = {
        resolve: (address) => {
          clearTimeout(deadline)
          resolve(address)
        },
        reject: (error) => {
          clearTimeout(deadline)
          reject(error)
        },
      }
    })
  }

  #sendPairSuccess(registration: Registration, phone: Phone, advSecret: Uint8Array): void {
    const { account } = phone
    const deviceId = account.nextDeviceId++
    // Key indexes count registrations of the account; one per device number serves.
    const companion = { identityKey: registration.candidate.identityKey, keyIndex: deviceId }
    const { details, hmacEnvelope } = signCompanion(phone.signal, companion, advSecret)
    registration.linking = { phone, keyIndex: deviceId, details }
    const address = { account, deviceId }
    registration.connection.send(
      stanza('iq', { from: S_WHATSAPP_NET, type: 'set', id: nextId(), t: unixSeconds() }, [
        stanza('pair-success', {}, [
          stanza('device-identity', {}, hmacEnvelope),
          stanza('biz', { name: account.name }),
          stanza('device', { jid: deviceJid(address, 'pn'), lid: deviceJid(address, 'lid') }),
          stanza('platform', { name: 'android' }),
        ]),
      ]),
    )
  }
}

function nextId(): string {
  return randomBytes(6).toString('hex').toUpperCase()
}

function register({ candidate }: Registration, { phone, keyIndex }: Linking): DeviceAddress {
  phone.account.devices.set(keyIndex, {
    id: keyIndex,
    keyIndex,
    registrationId: candidate.registrationId,
    identityKey: candidate.identityKey,
    signedPreKey: candidate.signedPreKey,
    oneTimePreKeys: [],
    noiseKey: candidate.noiseKey,
    historySent: false,
  })
  return { account: phone.account, deviceId: keyIndex }
}
