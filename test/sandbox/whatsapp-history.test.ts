import { randomBytes } from 'node:crypto'
import { downloadMediaMessage, proto, type WAMessage } from '@whiskeysockets/baileys'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { PastMessage } from '../../sandbox/whatsapp/index.ts'
import type { Companion } from './whatsapp-companion.ts'
import { BUSINESS, CUSTOMER, FRIEND, SandboxWorld } from './whatsapp-world.ts'

const { HistorySyncType } = proto.HistorySync
const DAY_MS = 86_400_000
const IMAGE = { kind: 'image', bytes: randomBytes(3_000), mimetype: 'image/jpeg' } as const
/** WhatsApp counts whole seconds. */
const NOW_MS = Math.floor(Date.now() / 1000) * 1000
const SHY = '15551230005'

let world: SandboxWorld

beforeEach(async () => {
  world = await SandboxWorld.begin()
})

afterEach(async () => {
  await world.end()
})

function daysAgo(days: number): Date {
  return new Date(NOW_MS - days * DAY_MS)
}

/** One message a day, in turn from either side, up to yesterday. */
function conversation(days: number): PastMessage[] {
  return Array.from({ length: days }, (_, index) => {
    const age = days - index
    return { at: daysAgo(age), text: `day ${age}`, ...(age % 2 === 0 && { from: BUSINESS }) }
  })
}

function historyOf(companion: Companion, type: proto.HistorySync.HistorySyncType) {
  return companion.heard('messaging-history.set').filter(({ syncType }) => syncType === type)
}

async function untilComplete(companion: Companion): Promise<void> {
  await companion.untilHeard(
    'messaging-history.status',
    ({ syncType, status }) => syncType === HistorySyncType.RECENT && status === 'complete',
  )
  await companion.until('the last chunk', () =>
    historyOf(companion, HistorySyncType.RECENT).find(({ progress }) => progress === 100),
  )
}

function textsOf(messages: readonly WAMessage[]): (string | null | undefined)[] {
  return messages.map(({ message }) => message?.conversation)
}

it('gives a new companion the past in chunks, newest first, with progress, names and mappings', async () => {
  await world.sandbox.preparePast(BUSINESS, [
    { chat: CUSTOMER, messages: conversation(85) },
    { chat: FRIEND, addressing: 'pn', messages: conversation(40) },
  ])
  const companion = await world.linked()
  await untilComplete(companion)
  const bootstrap = historyOf(companion, HistorySyncType.INITIAL_BOOTSTRAP)[0]
  const newest = ['day 1', 'day 2', 'day 3', 'day 4', 'day 5']
  expect(textsOf(bootstrap?.messages ?? [])).toEqual([...newest, ...newest])
  expect(bootstrap?.chats.map(({ id }) => id).toSorted()).toEqual(
    [world.lid(CUSTOMER), `${FRIEND}@s.whatsapp.net`].toSorted(),
  )
  const mapping = companion.socket.signalRepository.lidMapping
  expect(await mapping.getPNForLID(world.lid(CUSTOMER))).toContain(CUSTOMER)
  const recent = historyOf(companion, HistorySyncType.RECENT)
  // Baileys may join chunks that come at once, and keeps the order and progress of the last.
  expect(recent.at(-1)).toMatchObject({ chunkOrder: 3, progress: 100 })
  const rest = recent.flatMap(({ messages }) => messages)
  expect(rest).toHaveLength(85 + 40 - 10)
  const oldest = rest.find(({ message }) => message?.conversation === 'day 85')
  expect(oldest).toMatchObject({
    key: { remoteJid: world.lid(CUSTOMER), fromMe: false },
    pushName: 'Casey Customer',
  })
  expect(Number(oldest?.messageTimestamp)).toBe(daysAgo(85).getTime() / 1000)
  expect(rest.find(({ message }) => message?.conversation === 'day 84')?.key.fromMe).toBe(true)
  const names = historyOf(companion, HistorySyncType.PUSH_NAME).flatMap(({ contacts }) => contacts)
  expect(names).toContainEqual({ id: world.lid(FRIEND), notify: 'Fran Friend' })
  expect(companion.messages.filter(({ message }) => message.message?.conversation)).toEqual([])
})

it('gives what is older than the recent days to a companion that asks for all', async () => {
  await world.sandbox.preparePast(BUSINESS, [{ chat: CUSTOMER, messages: conversation(150) }])
  const companion = await world.linked(BUSINESS, { shouldSyncHistoryMessage: () => true })
  const full = await companion.until('the last chunk', () =>
    historyOf(companion, HistorySyncType.FULL).find(({ progress }) => progress === 100),
  )
  expect(full.chunkOrder).toBe(2)
  expect(full.messages.length).toBeGreaterThan(0)
  const older = historyOf(companion, HistorySyncType.FULL).flatMap(({ messages }) => messages)
  expect(textsOf(older)).toContain('day 150')
  expect(textsOf(older)).not.toContain('day 89')
})

it('holds media, quotes and groups, and tells no number that is hidden', async () => {
  world.sandbox.addAccount({ phone: SHY, name: 'Shy Customer', hidesNumber: true })
  const group = world.sandbox.createGroup({ subject: 'Fans', creator: FRIEND, members: [BUSINESS, SHY] })
  await world.sandbox.preparePast(BUSINESS, [
    {
      chat: SHY,
      messages: [
        { at: daysAgo(3), media: { ...IMAGE, caption: 'look' }, id: 'PAST1' },
        { at: daysAgo(2), text: 'lovely', quote: 'PAST1', from: BUSINESS },
      ],
    },
    { chat: group.jid, messages: [{ at: daysAgo(1), text: 'hello fans', from: SHY }] },
  ])
  const companion = await world.linked()
  await untilComplete(companion)
  const { messages = [], chats = [] } = historyOf(companion, HistorySyncType.INITIAL_BOOTSTRAP)[0] ?? {}
  const picture = messages.find(({ key }) => key.id === 'PAST1')
  if (!picture) throw new Error('the picture is missing')
  expect(await downloadMediaMessage(picture, 'buffer', {})).toEqual(IMAGE.bytes)
  const answer = messages.find(({ message }) => message?.extendedTextMessage?.text === 'lovely')
  expect(answer?.message?.extendedTextMessage?.contextInfo?.stanzaId).toBe('PAST1')
  expect(chats.find(({ id }) => id === group.jid)?.name).toBe('Fans')
  const said = messages.find(({ key }) => key.remoteJid === group.jid)
  expect(said?.key.participant).toBe(world.lid(SHY))
  expect(JSON.stringify(companion.heard('messaging-history.set'))).not.toContain(SHY)
  expect(await companion.socket.signalRepository.lidMapping.getPNForLID(world.lid(SHY))).toBeNull()
})

it('gives older messages on demand, before the one that is named', async () => {
  await world.sandbox.preparePast(BUSINESS, [{ chat: CUSTOMER, messages: conversation(20) }])
  const companion = await world.linked()
  await untilComplete(companion)
  await companion.close()
  await companion.login()
  const { messages = [] } = historyOf(companion, HistorySyncType.INITIAL_BOOTSTRAP)[0] ?? {}
  const anchor = messages.find(({ message }) => message?.conversation === 'day 5')
  if (!anchor) throw new Error('the anchor is missing')
  const asked = await companion.socket.fetchMessageHistory(3, anchor.key, Number(anchor.messageTimestamp))
  const given = await companion.untilHeard(
    'messaging-history.set',
    ({ peerDataRequestSessionId }) => peerDataRequestSessionId === asked,
  )
  expect(textsOf(given.messages)).toEqual(['day 6', 'day 7', 'day 8'])
})
