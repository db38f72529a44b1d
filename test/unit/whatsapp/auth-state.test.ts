import { Curve, initAuthCreds, proto, type SignalDataTypeMap } from '@whiskeysockets/baileys'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Clock } from '../../../src/core/clock.ts'
import { StoreError } from '../../../src/core/errors.ts'
import { parseSessionId } from '../../../src/core/ids.ts'
import { JOURNAL_KIND, openAuth } from '../../../src/whatsapp/auth-state.ts'
import { Door, MemorySignalStore } from '../../support/memory-stores.ts'

const SESSION = parseSessionId('s1')
const away = () => new StoreError('STORE_UNAVAILABLE', 'The database cannot be reached')

let store: MemorySignalStore
let sleeps: number
const clock: Clock = {
  nowMs: () => 0,
  sleep: async (_ms, signal) => {
    sleeps += 1
    await new Promise((resolve) => setImmediate(resolve))
    signal?.throwIfAborted()
  },
}
const open = (unsaved?: string) => openAuth(store, SESSION, clock, unsaved)

beforeEach(() => {
  store = new MemorySignalStore()
  sleeps = 0
})

const bytes = (...values: number[]) => Buffer.from(values)
const TEN_KINDS: { [K in keyof SignalDataTypeMap]: SignalDataTypeMap[K] } = {
  'pre-key': Curve.generateKeyPair(),
  // Baileys declares bytes and stores a plain object.
  session: { _sessions: { abc: { registrationId: 7, chains: {} } }, version: 'v1' } as never,
  'sender-key': bytes(1, 2, 3),
  'sender-key-memory': { '1@s.whatsapp.net': true },
  'app-state-sync-key': proto.Message.AppStateSyncKeyData.fromObject({ keyData: bytes(9, 9), timestamp: 5 }),
  'app-state-sync-version': { version: 3, hash: bytes(4, 4), indexValueMap: { a: { valueMac: bytes(5) } } },
  'lid-mapping': '98765',
  'device-list': ['0', '3'],
  tctoken: { token: bytes(6, 6), timestamp: '1700000000' },
  'identity-key': bytes(8, 8, 8),
}

describe('Signal keys', () => {
  it('of all ten kinds go into the store in one write, and come back as they were', async () => {
    const auth = await open()
    const changes = Object.fromEntries(
      Object.entries(TEN_KINDS).map(([kind, value]) => [kind, { 'id-1': value }]),
    )
    await auth.state.keys.set(changes)
    expect(store.writes).toHaveLength(1)
    expect(store.writes[0]?.keys).toHaveLength(10)
    const again = await open()
    for (const [kind, value] of Object.entries(TEN_KINDS)) {
      const found = await again.state.keys.get(kind as keyof SignalDataTypeMap, ['id-1', 'absent'])
      expect(Object.keys(found)).toEqual(['id-1'])
      expect(JSON.stringify(found['id-1'])).toBe(JSON.stringify(value))
      if (value instanceof Uint8Array) expect(Buffer.isBuffer(found['id-1'])).toBe(true)
    }
  })

  it('for app state have the methods that Baileys calls', async () => {
    const auth = await open()
    await auth.state.keys.set({ 'app-state-sync-key': { k: TEN_KINDS['app-state-sync-key'] } })
    const { k } = await auth.state.keys.get('app-state-sync-key', ['k'])
    expect(k).toBeInstanceOf(proto.Message.AppStateSyncKeyData)
    expect(Buffer.from(k?.keyData ?? [])).toEqual(bytes(9, 9))
  })

  it('are deleted by null', async () => {
    const auth = await open()
    await auth.state.keys.set({ 'pre-key': { '1': Curve.generateKeyPair(), '2': Curve.generateKeyPair() } })
    await auth.state.keys.set({ 'pre-key': { '1': null } })
    expect(Object.keys(await auth.state.keys.get('pre-key', ['1', '2']))).toEqual(['2'])
  })

  it('of a kind that Baileys may add later are kept all the same', async () => {
    const auth = await open()
    await auth.state.keys.set({ 'from-the-future': { x: { a: 1 } } } as never)
    expect(await auth.state.keys.get('from-the-future' as never, ['x'])).toEqual({ x: { a: 1 } })
  })

  it('take journal rows with them, split off, in the same write', async () => {
    const auth = await open()
    const row = { waMessageId: 'A1', sender: '1@lid', entry: '{}' }
    await auth.state.keys.set({ session: { '1_1.0': { v: 1 } }, [JOURNAL_KIND]: { A1: row } } as never)
    expect(store.writes).toEqual([
      { keys: [{ kind: 'session', id: '1_1.0', value: '{"v":1}' }], journal: [row] },
    ])
  })

  it('cost no write when there is nothing to write', async () => {
    const auth = await open()
    await auth.state.keys.set({})
    await auth.writeThrough({ session: undefined })
    expect(store.writes).toEqual([])
  })

  it('are waited for while the store is away, and never missing because of that', async () => {
    const auth = await open()
    await auth.state.keys.set({ 'device-list': { '1': ['0'] } })
    let failures = 0
    const fail = () => {
      failures += 1
      if (failures <= 3) throw away()
    }
    store.readGate = fail
    expect(await auth.state.keys.get('device-list', ['1'])).toEqual({ '1': ['0'] })
    failures = 0
    store.gate = fail
    await auth.state.keys.set({ 'device-list': { '2': ['0'] } })
    expect(sleeps).toBe(6)
  })

  it('that the store refuses for good are refused at once', async () => {
    const auth = await open()
    store.gate = () => {
      throw new StoreError('STORE_REJECTED', 'The statement was refused')
    }
    await expect(
      Promise.resolve(auth.state.keys.set({ 'device-list': { '1': ['0'] } })),
    ).rejects.toMatchObject({
      code: 'STORE_REJECTED',
    })
    expect(sleeps).toBe(0)
  })
})

describe('credentials', () => {
  it('are new for a new session and come back bit by bit', async () => {
    const auth = await open()
    await auth.saveCredentials()
    expect((await open()).state.creds).toEqual(auth.state.creds)
    expect(Object.keys(auth.state.creds).sort()).toEqual(Object.keys(initAuthCreds()).sort())
  })

  it('are saved in order, each as they were when asked, one write at a time', async () => {
    const auth = await open()
    let underWay = 0
    let most = 0
    store.gate = async () => {
      underWay += 1
      most = Math.max(most, underWay)
      await new Promise((resolve) => setImmediate(resolve))
      underWay -= 1
    }
    const saves = [1, 2, 3].map((counter) => {
      auth.state.creds.accountSyncCounter = counter
      return auth.saveCredentials()
    })
    await Promise.all(saves)
    const counters = store.writes.map(
      ({ credentials = '' }) =>
        (JSON.parse(credentials) as { accountSyncCounter: number }).accountSyncCounter,
    )
    expect(counters).toEqual([1, 2, 3])
    expect(most).toBe(1)
  })

  it('can be saved after a save that failed', async () => {
    const auth = await open()
    store.gate = () => {
      throw new StoreError('STORE_REJECTED', 'The statement was refused')
    }
    await expect(auth.saveCredentials()).rejects.toMatchObject({ code: 'STORE_REJECTED' })
    store.gate = () => undefined
    await auth.saveCredentials()
    expect(store.writes).toHaveLength(1)
  })
})

describe('after the end of the connection', () => {
  it('nothing is written any more, and what was under way is waited for', async () => {
    const auth = await open()
    const door = new Door()
    store.gate = () => door.pass()
    const underWay = Promise.resolve(auth.state.keys.set({ 'device-list': { '1': ['0'] } }))
    const outcome = expect(underWay).rejects.toMatchObject({ code: 'WA_OFFLINE' })
    await door.knocked
    let isClosed = false
    const closing = auth.close().then(() => {
      isClosed = true
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect(isClosed).toBe(false)
    door.open()
    await closing
    await outcome
    expect(store.writes).toHaveLength(1)
    await expect(Promise.resolve(auth.state.keys.set({ 'device-list': { '2': [] } }))).rejects.toMatchObject({
      code: 'WA_OFFLINE',
    })
    expect(store.writes).toHaveLength(1)
  })

  it('credentials that the store did not take are handed to the next one', async () => {
    const auth = await open()
    store.gate = () => {
      throw away()
    }
    auth.state.creds.accountSyncCounter = 42
    const saving = expect(auth.saveCredentials()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await new Promise((resolve) => setImmediate(resolve))
    const unsaved = await auth.close()
    await saving
    store.gate = () => undefined
    expect((await open(unsaved)).state.creds.accountSyncCounter).toBe(42)
    expect((await open()).state.creds.accountSyncCounter).toBe(42)
  })

  it('nothing is handed over when all was saved', async () => {
    const auth = await open()
    await auth.saveCredentials()
    expect(await auth.close()).toBeUndefined()
  })
})
