// Puts the sandbox together: Noise and TLS identities, media host, WebSocket server; and what a test or the
// control API can do with it.
import { writeFile } from 'node:fs/promises'
import type { OutgoingCall } from './calls.ts'
import { issueNoiseIdentity, issueTlsIdentity } from './certificates.ts'
import type { OutgoingMedia } from './content.ts'
import type { Addressing, DeviceAddress } from './directory.ts'
import { SandboxError } from './errors.ts'
import { type Faults, noFaults } from './faults.ts'
import type { Group, Groups } from './groups.ts'
import { fail, streamError } from './logins.ts'
import { MEDIA_DOWNLOAD_HOST, type MediaDamage, MediaHost, PICTURE_HOST } from './media-host.ts'
import type { PastChat } from './past.ts'
import type { Phone } from './phone.ts'
import type { PhoneMessage, PhoneReceipt } from './phone-log.ts'
import type { OutgoingMessage } from './phone-outbox.ts'
import { type CompanionState, WhatsAppServer } from './server.ts'
import { redactSignalConsole } from './signal-console.ts'
import { waitUntil } from './wait.ts'

export interface SandboxOptions {
  /** Ports default to 0: any free one. */
  readonly port?: number
  readonly mediaPort?: number
  /** Where to write the certificate authority of the media host, for NODE_EXTRA_CA_CERTS. */
  readonly caFile?: string
  readonly faults?: Faults
}

export interface SandboxStats {
  /** Stanzas and queries the server did not know, by name. A good test ends with none. */
  readonly unknownStanzas: Record<string, number>
  readonly accounts: number
  readonly companions: readonly CompanionState[]
  /** Sockets that show a QR or a pairing code. */
  readonly pairing: number
  readonly pairings: number
  readonly logins: number
  readonly logouts: readonly { readonly phone: string; readonly deviceId: number; readonly at: Date }[]
  readonly messagesRelayed: number
  readonly receiptsRelayed: number
  readonly retriesRequested: number
  /** Times a companion said that it is typing, recording or no longer so. */
  readonly chatStates: number
  readonly mediaUploads: number
  readonly mediaDownloads: number
}

export interface NewSandboxGroup {
  readonly subject: string
  /** Phone numbers. */
  readonly creator: string
  readonly members: readonly string[]
  /** New groups are LID-addressed on the real network too. */
  readonly addressing?: Addressing
}

export interface SandboxGroup {
  readonly jid: string
  readonly subject: string
  readonly addressing: Addressing
  readonly creator: string
  /** Phone numbers, the creator's among them. */
  readonly members: readonly string[]
}

function showGroup({ jid, subject, addressing, creator, members }: Group): SandboxGroup {
  return { jid, subject, addressing, creator: creator.phone, members: [...members].map(({ phone }) => phone) }
}

/** The HTTP face of a running sandbox. */
export interface ControlApi {
  readonly url: string
  close(): Promise<void>
}

export class WhatsAppSandbox {
  readonly webSocketUrl: string
  /** host:port */
  readonly mediaHost: string
  /** Hex. The client under test pins this instead of WhatsApp's own root. */
  readonly rootPublicKey: string
  readonly caPem: string
  readonly #server: WhatsAppServer
  readonly #media: MediaHost
  #control: ControlApi | undefined
  readonly #logouts: { phone: string; deviceId: number; at: Date }[] = []

  private constructor(
    parts: { server: WhatsAppServer; media: MediaHost },
    facts: { webSocketUrl: string; mediaHost: string; rootPublicKey: string; caPem: string },
  ) {
    this.#server = parts.server
    this.#media = parts.media
    this.webSocketUrl = facts.webSocketUrl
    this.mediaHost = facts.mediaHost
    this.rootPublicKey = facts.rootPublicKey
    this.caPem = facts.caPem
    this.#server.on('logout', ({ account, deviceId }) => {
      this.#logouts.push({ phone: account.phone, deviceId, at: new Date() })
    })
  }

  static async start(options: SandboxOptions = {}): Promise<WhatsAppSandbox> {
    redactSignalConsole()
    const identity = issueNoiseIdentity()
    const tls = await issueTlsIdentity(['localhost', MEDIA_DOWNLOAD_HOST, PICTURE_HOST])
    if (options.caFile !== undefined) await writeFile(options.caFile, tls.caPem)
    const media = new MediaHost(tls)
    const mediaHost = await media.listen(options.mediaPort ?? 0)
    const faults = options.faults ?? noFaults
    const server = new WhatsAppServer({ identity, faults, media, mediaAddress: mediaHost })
    const webSocketUrl = await server.listen(options.port ?? 0)
    const rootPublicKey = Buffer.from(identity.rootPublicKey).toString('hex')
    return new WhatsAppSandbox(
      { server, media },
      { webSocketUrl, mediaHost, rootPublicKey, caPem: tls.caPem },
    )
  }

  /** Base URL of the control API; empty when it was not started. */
  get controlUrl(): string {
    return this.#control?.url ?? ''
  }

  attachControl(control: ControlApi): void {
    this.#control = control
  }

  async stop(): Promise<void> {
    await this.#control?.close()
    await this.#server.close()
    await this.#media.close()
  }

  /** Adds a simulated phone, online, with its own number. Who hides the number is known by the LID alone. */
  addAccount(account: { phone: string; name: string; lid?: string; hidesNumber?: boolean }): Phone {
    const phone = this.#server.addPhone(account.phone, account.name, account.lid)
    phone.account.hidesNumber = account.hidesNumber ?? false
    return phone
  }

  /**
   * From now on the stanzas, queries and history of this account tell its number. The companions of `to` hear of it
   * at once, the others with its next message.
   */
  revealNumber(phone: string, to?: string): void {
    this.#server.revealNumber(
      this.phone(phone).account,
      to === undefined ? undefined : this.phone(to).account,
    )
  }

  /** @throws {SandboxError} `ACCOUNT_UNKNOWN` */
  phone(phone: string): Phone {
    return this.#server.phone(phone)
  }

  /** The phone scans the QR text that the companion shows. Resolves when the companion is registered. */
  async scan(phone: string, qr: string): Promise<DeviceAddress> {
    return await this.#server.registrations.scan(this.phone(phone), qr)
  }

  /** The phone's owner types the pairing code that the companion shows. */
  async enterPairingCode(phone: string, code: string): Promise<DeviceAddress> {
    return await this.#server.registrations.enterCode(this.phone(phone), code)
  }

  /** Retires the secret of the QR that is shown: only a QR with a new one can be scanned from now on. */
  refreshRegistration(qr: string): void {
    this.#server.registrations.refresh(qr)
  }

  async send(phone: string, message: OutgoingMessage): Promise<string> {
    return await this.phone(phone).send(message)
  }

  async sendAlbum(phone: string, to: string, items: readonly OutgoingMedia[]) {
    return await this.phone(phone).sendAlbum(to, items)
  }

  /** Calls a number, or a group by its JID; missed unless told otherwise. Returns the call's id. */
  call(phone: string, to: string, call: OutgoingCall = {}): string {
    const callee = this.#groups.find(to) ?? this.phone(to).account
    return this.#server.call(this.phone(phone).account, callee, call)
  }

  /** All members are told of it. */
  createGroup(group: NewSandboxGroup): SandboxGroup {
    const creator = this.phone(group.creator).account
    const members = group.members.map((member) => this.phone(member).account)
    return showGroup(this.#groups.create({ ...group, creator, members }))
  }

  /** @throws {SandboxError} `GROUP_UNKNOWN` */
  group(jid: string): SandboxGroup {
    return showGroup(this.#groups.get(jid))
  }

  /** Changes are made by the group's creator unless another member is named. */
  renameGroup(jid: string, subject: string, by?: string): void {
    const group = this.#groups.get(jid)
    this.#groups.rename(group, this.#actor(group, by), subject)
  }

  addToGroup(jid: string, phone: string, by?: string): void {
    const group = this.#groups.get(jid)
    this.#groups.add(group, this.#actor(group, by), this.phone(phone).account)
  }

  /** A member that is its own actor leaves. */
  removeFromGroup(jid: string, phone: string, by?: string): void {
    const group = this.#groups.get(jid)
    this.#groups.remove(group, this.#actor(group, by), this.phone(phone).account)
  }

  messages(phone: string): readonly PhoneMessage[] {
    return this.phone(phone).messages
  }

  receipts(phone: string): readonly PhoneReceipt[] {
    return this.phone(phone).receipts
  }

  async waitForMessage(
    phone: string,
    matches: (message: PhoneMessage) => boolean,
    timeoutMs?: number,
  ): Promise<PhoneMessage> {
    return await this.phone(phone).waitForMessage(matches, timeoutMs)
  }

  /** The phone removes its companions; each gets 401 device_removed, now or at its next login. */
  unlink(phone: string): void {
    const { account } = this.phone(phone)
    for (const { deviceId } of this.#server.companions(account.phone)) {
      this.#server.logins.remove({ account, deviceId }, false)
    }
  }

  /**
   * Ends the connections of an account's companions: with a `stream:error` code, with a `failure` reason, or, when
   * neither is given, by cutting the socket without a word.
   */
  disconnect(phone: string, how: { code?: number; failure?: number } = {}): void {
    const { account } = this.phone(phone)
    let found = false
    for (const { deviceId } of this.#server.companions(account.phone)) {
      const connection = this.#server.logins.connectionOf({ account, deviceId })
      if (!connection) continue
      found = true
      if (how.failure !== undefined) fail(connection, how.failure)
      else if (how.code !== undefined) {
        connection.send(streamError(how.code))
        connection.close()
      } else connection.drop()
    }
    if (!found) {
      throw new SandboxError(
        'COMPANION_NOT_CONNECTED',
        'no companion of this number is connected; wait for it',
      )
    }
  }

  /** Answers every login of this account's companions with `failure reason` until undefined is given. */
  refuseLogins(phone: string, reason: number | undefined, expireSeconds?: number): void {
    const refusal =
      reason === undefined ? undefined : { reason, ...(expireSeconds !== undefined && { expireSeconds }) }
    this.#server.logins.refuse(this.phone(phone).account.phone, refusal)
  }

  /** Answers every message of this account with this ack error (463, 479, ...) until undefined is given. */
  refuseMessages(phone: string, error: number | undefined): void {
    this.#server.messaging.refuse(this.phone(phone).account, error)
  }

  /** Companions of this account may begin no chat until then (463); chats that exist go on. */
  lockReachOut(phone: string, until: Date | undefined): void {
    this.#server.lockReachOut(this.phone(phone).account, until)
  }

  /** What this phone has said and heard already; a companion linked later gets it as history, in chunks. */
  async preparePast(phone: string, past: readonly PastChat[]): Promise<void> {
    await this.phone(phone).remember(past)
  }

  /** The phone gives all its messages to its companions again, as a RECENT piece of history. */
  async pushHistory(phone: string): Promise<void> {
    const owner = this.phone(phone)
    const { account } = owner
    for (const { deviceId } of this.#server.companions(account.phone))
      await owner.sendHistory({ account, deviceId }, 'recent')
  }

  /** The profile picture of an account; undefined takes it away. */
  setPicture(phone: string, picture: { bytes: Uint8Array; mimetype: string } | undefined): void {
    this.#server.pictures.set(this.phone(phone).account, picture)
  }

  /** Makes downloads of one direct path fail with this status until undefined is given. */
  failMedia(directPath: string, status: number | undefined): void {
    this.#media.fail(directPath, status)
  }

  /** Spoils downloads of one direct path until undefined is given. */
  damageMedia(directPath: string, damage: MediaDamage | undefined): void {
    this.#media.damage(directPath, damage)
  }

  /** Answers every upload with this status until undefined is given. */
  refuseUploads(status: number | undefined): void {
    this.#media.refuseUploads(status)
  }

  /** Leaves uploads without an answer until the returned function is called. */
  holdUploads(): () => void {
    return this.#media.holdUploads()
  }

  /** The next file that anybody sends fails with this status, or is damaged, until it is cleared by its direct path. */
  spoilNextMedia(how: number | MediaDamage): void {
    this.#media.spoilNext(how)
  }

  /** Whether the phone still has the files of its messages, and can upload them again. */
  keepMedia(phone: string, keeps: boolean): void {
    this.phone(phone).keepsMedia = keeps
  }

  /** Resolves when one companion of this number is (or is no longer) connected. */
  async waitForCompanion(phone: string, connected = true, timeoutMs = 10_000): Promise<void> {
    const attempt = () =>
      this.#server.companions(phone).some((companion) => companion.connected) === connected ? true : undefined
    await waitUntil(this.#server, ['companions'], attempt, timeoutMs, 'the companion')
  }

  get #groups(): Groups {
    return this.#server.groups
  }

  #actor(group: Group, phone: string | undefined) {
    return phone === undefined ? group.creator : this.phone(phone).account
  }

  stats(): SandboxStats {
    const { counters } = this.#server
    return {
      unknownStanzas: counters.unknownStanzas(),
      accounts: this.#server.directory.accounts().length,
      companions: this.#server.companions(),
      pairing: this.#server.registrations.count,
      pairings: counters.pairings,
      logins: counters.logins,
      logouts: this.#logouts,
      messagesRelayed: counters.messagesRelayed,
      receiptsRelayed: counters.receiptsRelayed,
      retriesRequested: counters.retriesRequested,
      chatStates: counters.chatStates,
      mediaUploads: this.#media.uploads,
      mediaDownloads: this.#media.downloads,
    }
  }
}
