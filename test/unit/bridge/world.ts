/** Ports in memory, for the two paths: what was done is recorded, what goes wrong is set. */
import type { JobDeps } from '../../../src/bridge/jobs.ts'
import type { GhlInboundMessage, GhlNote, GhlStatusUpdate, WaOutgoing } from '../../../src/bridge/ports.ts'
import type { Contact, Owed } from '../../../src/bridge/storage/contacts.ts'
import type {
  InboundWork,
  MessageError,
  NoteWork,
  Original,
  OutboundWork,
  OwedRead,
  QuotedMessage,
} from '../../../src/bridge/storage/message-rows.ts'
import type { Job } from '../../../src/bridge/storage/outbox.ts'
import type { SessionRow } from '../../../src/bridge/storage/sessions.ts'
import { systemClock } from '../../../src/core/clock.ts'
import {
  type GhlContactId,
  type LocationId,
  type PnJid,
  parseContactId,
  parseGhlContactId,
  parseGhlConversationId,
  parseGhlMessageId,
  parseLocationId,
  parseMessageId,
  parseSessionId,
  parseWaMessageId,
} from '../../../src/core/ids.ts'
import type { Envelope, GhlStatus, OutboundPart, WaContent } from '../../../src/core/message.ts'
import { DEFAULT_SETTINGS, type LocationSettings } from '../../../src/core/settings.ts'

export const LOCATION = parseLocationId('loc1')
export const SESSION = parseSessionId('s1')
export const MESSAGE = parseMessageId('m1')
export const WA_ID = parseWaMessageId('WA1')
export const FILED = {
  ghlMessageId: parseGhlMessageId('g1'),
  ghlConversationId: parseGhlConversationId('conv1'),
}

export const session = (over: Partial<SessionRow> = {}): SessionRow => ({
  sessionId: SESSION,
  locationId: LOCATION,
  status: 'ready',
  phoneNumber: '+15550009999',
  lid: undefined,
  name: undefined,
  isDefault: true,
  problem: undefined,
  notice: undefined,
  nextAttemptAt: undefined,
  expectedPhone: undefined,
  live: undefined,
  wish: undefined,
  lastSeenAt: undefined,
  pairedAt: undefined,
  createdAt: new Date(0),
  ...over,
})

export const customer = (over: Partial<Contact> = {}): Contact => ({
  contactId: parseContactId('c1'),
  locationId: LOCATION,
  lid: '98765@lid',
  pn: '15551230001@s.whatsapp.net',
  chat: '98765@lid',
  pushName: 'Ana',
  ghlContactId: parseGhlContactId('ghl-ana'),
  lastSessionId: SESSION,
  ...over,
})

export const job = (over: Partial<Job> = {}): Job => ({
  jobId: '1',
  lane: 'lane',
  locationId: LOCATION,
  token: '1',
  kind: 'inbound',
  subject: MESSAGE,
  attempts: 1,
  mayHaveHappened: false,
  ...over,
})

const row = {
  id: MESSAGE,
  locationId: LOCATION,
  sessionId: SESSION,
  contactId: undefined,
  kind: 'text',
  chat: undefined,
  attempts: 1,
  nextAttemptAt: undefined,
  error: undefined,
  createdAt: new Date(),
  updatedAt: new Date(),
} as const

export function inboundWork(
  content: WaContent,
  over: Partial<Envelope> = {},
  contact = customer(),
): InboundWork {
  return {
    row: { ...row, direction: 'inbound', state: 'queued', waMessageId: WA_ID, ghlMessageId: undefined },
    envelope: {
      locationId: LOCATION,
      sessionId: SESSION,
      waMessageId: WA_ID,
      chat: '98765@lid',
      author: '98765@lid',
      fromMe: false,
      pushName: 'Ana',
      sentAt: new Date(),
      content,
      ...over,
    },
    contact,
    via: { name: 'Sales', phoneNumber: '+15550009999', numbers: 1 },
  }
}

export function outboundWork(part: OutboundPart, over: Partial<OutboundWork> = {}): OutboundWork {
  return {
    row: {
      ...row,
      direction: 'outbound',
      state: 'queued',
      waMessageId: WA_ID,
      ghlMessageId: FILED.ghlMessageId,
    },
    part,
    writtenAt: new Date(),
    isReleased: false,
    ghlContactId: parseGhlContactId('ghl-ana'),
    phone: '+15551230001',
    contact: customer(),
    hasWritten: true,
    composed: undefined,
    ...over,
  }
}

const notCalled = (): never => {
  throw new Error('this port should not be reached')
}

export function world() {
  const done: string[] = []
  const inbound: GhlInboundMessage[] = []
  const statuses: GhlStatusUpdate[] = []
  const failures: (MessageError & { mayHaveHappened: boolean })[] = []
  const notes: GhlNote[] = []
  const composed: WaOutgoing[] = []
  const links: Partial<Owed>[] = []
  const state = {
    inboundWork: undefined as InboundWork | undefined,
    outboundWork: undefined as OutboundWork | undefined,
    quoted: undefined as QuotedMessage | undefined,
    sessions: [session()],
    groupName: undefined as string | undefined,
    ready: true,
    onWhatsApp: true,
    /** WhatsApp knows the person under this form of his number only. */
    onlyAs: undefined as PnJid | undefined,
    ghlStatus: undefined as { status: GhlStatus; error?: MessageError } | undefined,
    noteWork: undefined as NoteWork | undefined,
    original: undefined as Original | undefined,
    settings: DEFAULT_SETTINGS as LocationSettings,
    owed: undefined as ({ contact: Contact } & Owed) | undefined,
    phoneHolder: undefined as GhlContactId | undefined,
    survivor: undefined as GhlContactId | undefined,
    /** What each look finds. */
    owedReads: [] as { locationId: LocationId; messages: OwedRead[] }[],
    /** An earlier attempt has reached GHL. */
    filedEarlier: false,
    /** Thrown by the next calls of each name. */
    failures: new Map<string, Error[]>(),
  }
  const step = (name: string): Promise<void> => {
    done.push(name)
    const error = state.failures.get(name)?.shift()
    return error === undefined ? Promise.resolve() : Promise.reject(error)
  }
  const deps: JobDeps = {
    behindLive: async (act) => {
      await step('behindLive')
      return await act()
    },
    clock: systemClock,
    nudge: () => undefined,
    fileLink: (message, fileName) => `https://bridge.example/files/${message}/${fileName}`,
    settings: { read: () => Promise.resolve(state.settings) },
    messages: {
      acceptForeign: notCalled,
      acceptInbound: notCalled,
      acceptOutbound: notCalled,
      splitCaption: (_id, waMessageId) => step(`splitCaption ${waMessageId}`),
      findQuoted: async (_id, waMessageId) => {
        await step(`findQuoted ${waMessageId}`)
        return state.quoted
      },
      findInboundWork: () => Promise.resolve(state.inboundWork),
      findOutboundWork: () => Promise.resolve(state.outboundWork),
      recordFiled: (_id, filed) => step(`recordFiled ${filed.ghlMessageId}`),
      reserve: (_id, { sessionId, chat }) => step(`reserve ${sessionId} ${chat}`),
      advance: async (_session, ids, to) => {
        await step(`advance ${ids.join()} ${to}`)
        return 1
      },
      giveUp: async (_job, failure) => {
        failures.push(failure)
        await step('giveUp')
      },
      hold: (_id, reason) => step(`hold ${reason.code}`),
      retryByHand: notCalled,
      discardByHand: notCalled,
      countWaiting: notCalled,
      settleWaiting: notCalled,
      oweReads: (by) => step(`oweReads ${'answeredBy' in by ? by.answeredBy : by.ghlContactId}`),
      findOwedReads: () => Promise.resolve(state.owedReads.shift()),
      settleReads: (ids, isRead) => step(`settleReads ${ids.join()} ${isRead}`),
      findNoteWork: () => Promise.resolve(state.noteWork),
      recordNote: (_id, said) => step(`recordNote ${said}`),
      recordToldFailed: (_location, message) => step(`recordToldFailed ${message}`),
      find: notCalled,
      ledger: notCalled,
      findGhlStatus: () => Promise.resolve(state.ghlStatus),
      findComposed: notCalled,
      findOriginal: async () => {
        await step('findOriginal')
        return state.original
      },
      dropPlaceholder: async () => {
        await step('dropPlaceholder')
        return true
      },
      isOurs: notCalled,
      list: notCalled,
    },
    contacts: {
      linkGhl: async (_id, contact, owed) => {
        await step(`linkGhl ${contact}`)
        if (owed !== undefined) links.push(owed)
      },
      learn: notCalled,
      findOwed: () => Promise.resolve(state.owed),
      recordPaid: (_id, contact, paid) => step(`recordPaid ${contact} ${JSON.stringify(paid)}`),
      listSplit: notCalled,
      unlinkGhl: (_location, contact) => step(`unlinkGhl ${contact}`),
      settle: async (_location, { chat, ghlContactId }) => {
        await step(`settle ${chat}`)
        return customer({ chat, ghlContactId })
      },
    },
    groups: {
      acceptEvent: notCalled,
      findName: () => Promise.resolve(state.groupName),
      recordName: (_contact, name) => step(`recordName ${name}`),
    },
    groupContacts: {
      rename: async (_location, _contact, from, to) => {
        await step(`rename ${from} ${to}`)
        return true
      },
    },
    ghlContacts: {
      findOrCreate: async (_location, phone, name): Promise<GhlContactId> => {
        await step(`findOrCreate ${phone} ${name}`)
        return parseGhlContactId('ghl-found')
      },
      complete: async (_location, contact, known) => {
        await step(`complete ${contact} ${JSON.stringify(known)}`)
        return state.phoneHolder === undefined ? {} : { phoneHolder: state.phoneHolder }
      },
      findSurvivor: async (_location, message) => {
        await step(`findSurvivor ${message}`)
        return state.survivor
      },
      exists: notCalled,
      findPhone: async () => {
        await step('findPhone')
        return undefined
      },
    },
    conversations: {
      addInbound: async (message) => {
        await step('addInbound')
        inbound.push(message)
        return FILED
      },
      findByAltId: async () => {
        await step('findByAltId')
        return state.filedEarlier ? FILED : undefined
      },
      setStatus: async (update) => {
        await step('setStatus')
        statuses.push(update)
      },
      addNote: async (note) => {
        await step('addNote')
        notes.push(note)
      },
      hasNote: async () => {
        await step('hasNote')
        return state.filedEarlier
      },
      upload: async () => {
        await step('upload')
        return 'https://files.example/photo.jpg'
      },
    },
    attachments: {
      open: async (url) => {
        await step(`open ${url}`)
        return { fileName: 'photo.jpg', mimeType: 'image/jpeg', bytes: nothing() }
      },
    },
    sessions: {
      create: notCalled,
      find: notCalled,
      list: () => Promise.resolve(state.sessions),
      update: notCalled,
      edit: notCalled,
      wish: notCalled,
      listOf: notCalled,
      wished: notCalled,
      takeWish: notCalled,
      forgetCredentials: notCalled,
      remove: notCalled,
      createPairingLink: notCalled,
      findPairingLink: notCalled,
    },
    numbers: {
      isReady: () => state.ready,
      findOnWhatsApp: async (_session, phone) => {
        await step(`findOnWhatsApp ${phone}`)
        return state.onWhatsApp && (state.onlyAs ?? phone) === phone
          ? { chat: '98765@lid', alt: phone }
          : undefined
      },
      findGroup: async () => {
        await step('findGroup')
        return { subject: 'Tulip fans' }
      },
      compose: async (_session, _chat, message) => {
        await step('compose')
        composed.push(message)
        return new Uint8Array([1, 2, 3])
      },
      send: (session, chat, id) => step(`send ${session} ${chat} ${id}`),
      markRead: (session, messages) =>
        step(`markRead ${session} ${messages.map(({ waMessageId }) => waMessageId).join()}`),
      newMessageId: () => WA_ID,
      openMedia: async () => {
        await step('openMedia')
        return { fileName: 'photo.jpg', mimeType: 'image/jpeg', bytes: nothing() }
      },
    },
  }
  const failNext = (name: string, ...errors: Error[]) => state.failures.set(name, errors)
  return { deps, done, inbound, statuses, failures, notes, composed, links, state, failNext }
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // An empty file: the ports in memory look at none of it.
}
