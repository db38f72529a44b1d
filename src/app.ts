/**
 * Composition root: builds every part by hand, in order; `stop()` undoes it in reverse. The only file besides main.ts that
 * sees all folders.
 */

import { randomUUID } from 'node:crypto'
import { assembleAccounts } from './accounts.ts'
import { createAttendance } from './bridge/attendance.ts'
import { CallLogSyncs } from './bridge/call-logs.ts'
import { contactHandlers } from './bridge/contact-events.ts'
import { acceptFromEngine, openingForeignMedia } from './bridge/engine.ts'
import { createEvidence } from './bridge/evidence.ts'
import { frameAncestors } from './bridge/frame-ancestors.ts'
import { acceptFromGhl } from './bridge/ghl-to-whatsapp.ts'
import { HistoryImporter } from './bridge/history-import.ts'
import { IgnoredCount } from './bridge/ignored.ts'
import { giveUp, jobHandlers } from './bridge/jobs.ts'
import { CHORES, Leases } from './bridge/leases.ts'
import { openLinkedFile } from './bridge/linked-files.ts'
import { createMessageDesk } from './bridge/message-desk.ts'
import type { GhlConversations } from './bridge/ports.ts'
import { acceptReceipt } from './bridge/receipts.ts'
import { createSessionDesk } from './bridge/session-desk.ts'
import { createSplitDesk } from './bridge/split-contacts.ts'
import type { Cure } from './bridge/storage/outbox.ts'
import { acceptFromWhatsApp } from './bridge/whatsapp-to-ghl.ts'
import type { Config } from './config.ts'
import { systemClock } from './core/clock.ts'
import { StoreError, toBridgeError } from './core/errors.ts'
import {
  type LocationId,
  type MessageId,
  parseLocationId,
  parseSessionId,
  type WaMessageId,
} from './core/ids.ts'
import type { Log } from './core/log.ts'
import { storeDir } from './embedded-secrets.ts'
import { createGhl } from './ghl/ghl.ts'
import { createConsoleTokens } from './http/console-token.ts'
import { createFileLinks } from './http/file-links.ts'
import { createPageTokens } from './http/page-token.ts'
import { createServer, listen } from './http/server.ts'
import { createServiceKeys } from './http/service-keys.ts'
import { createMetrics } from './metrics.ts'
import { OutboxWorker } from './outbox/worker.ts'
import { openStore } from './store/open-store.ts'
import { settingsOf, watchedGhl } from './watched-ghl.ts'
import { createNumbers } from './whatsapp/numbers.ts'
import type { SessionDeps } from './whatsapp/session.ts'
import { openSpool } from './whatsapp/spool.ts'

export { isLostConnection } from './whatsapp/sends.ts'

export interface App {
  /** Where it listens. */
  readonly url: string
  /** Takes nothing new, finishes what is in hand, closes everything. */
  stop(): Promise<void>
}

export interface AppSecrets {
  readonly encryptionKeys: readonly string[]
  readonly apiKey: string
}

/** Backstop for announcements that were not heard, and the poll between nodes that cannot hear each other. */
const LOOK_AROUND_MS = 1_000
/** Backstop for the word that the app was installed or removed. */
const FOLLOW_INSTALLATIONS_MS = 5_000

/**
 * Starts the whole bridge.
 *
 * @throws {ConfigError} `PORT_IN_USE`. @throws {StoreError} `STORE_LOCKED`, `STORE_SCHEMA`, `STORE_UNAVAILABLE`. Whatever
 * was started until then is stopped again.
 */
export async function startApp(config: Config, secrets: AppSecrets, log: Log): Promise<App> {
  await using started = new AsyncDisposableStack()
  const clock = systemClock

  const store = await openStore({
    databaseUrl: config.DATABASE_URL,
    supabase:
      config.SUPABASE_URL !== undefined && config.SUPABASE_SERVICE_ROLE_KEY !== undefined
        ? { url: config.SUPABASE_URL, serviceRoleKey: config.SUPABASE_SERVICE_ROLE_KEY }
        : undefined,
    dataDir: storeDir(config.DATA_DIR),
    encryptionKeys: secrets.encryptionKeys,
    log,
  })
  started.defer(() => store.close())
  if (store.kind === 'embedded') {
    log.warn(
      { dataDir: config.DATA_DIR },
      'embedded store: survives kill -9, but a power cut can lose its last moments and with them a pairing; set DATABASE_URL where that matters',
    )
  }
  const { messages, contacts, installations, outbox, sessions, settings, signal } = store

  const ignored = new IgnoredCount()
  const metrics = createMetrics(() => ({
    stats: store.stats,
    ignored,
    conditions: () => ghl.conditions(),
    heldLocations: () => leases.held().filter((held) => held !== CHORES).length,
  }))
  started.defer(() => metrics.close())

  const evidence = createEvidence({
    store: store.evidence,
    settings: settingsOf(piecesOf(config), secrets.encryptionKeys[0] ?? ''),
    clock,
    log,
  })
  const ghl = createGhl({
    config: ghlConfig(config),
    installations,
    onCall: metrics.countCall,
    onCredentials: (areAccepted) => {
      if (areAccepted) evidence.good('credentials')
      else evidence.bad('credentials', 'refused')
    },
    onRecovered: (resourceId) => {
      if (resourceId.startsWith('company:')) return
      wake(parseLocationId(resourceId), 'GHL').catch((thrown: unknown) => {
        // Parked lanes look for themselves, a little later.
        log.warn({ errorCode: toBridgeError(thrown).code }, 'could not wake a location')
      })
    },
    log,
    clock,
  })
  started.defer(() => ghl.close())
  const watched = watchedGhl(ghl, evidence)

  const nudge = () => {
    worker.nudge()
  }
  /** Something is well again: what waited for it goes on. */
  const wake = async (locationId: LocationId, cured?: Cure): Promise<void> => {
    await outbox.wake(locationId, cured)
    nudge()
  }
  const announced = new Set<WaMessageId>()
  const onIgnored: SessionDeps['onIgnored'] = (reason, { sessionId }) => {
    ignored.add(reason)
    log.debug({ sessionId, outcome: reason }, 'message ignored on purpose')
  }
  const spool = await openSpool(`${config.DATA_DIR} ${config.PORT}`)
  started.defer(() => spool.close())
  const numbers = createNumbers({
    spool,
    settings: { webSocketUrl: config.WHATSAPP_WEB_SOCKET_URL, version: config.WHATSAPP_VERSION },
    signalStore: signal,
    sessionStore: sessions,
    findComposed: (session, id) => messages.findComposed(session, id),
    historyStore: store.history,
    locationSettings: settings,
    onMessage: async (envelope) => {
      const { sessionId } = envelope
      await acceptFromWhatsApp(
        { messages, nudge, wake, announced, onIgnored: (why) => onIgnored(why, { sessionId }) },
        envelope,
      )
    },
    onGroupEvent: async (envelope) => {
      if ((await store.groups.acceptEvent(envelope)) === 'enqueued') nudge()
    },
    onHistory: () => {
      importer.nudge()
    },
    onIgnored,
    findOriginal: (reference) => messages.findOriginal(reference),
    onReceipt: (session, ids, state) => acceptReceipt({ messages, nudge }, session, ids, state),
    onAddresses: async (location, pairs) => {
      if ((await contacts.learn(location, pairs)) > 0) nudge()
    },
    onReady: (location) => wake(location, 'WA'),
    clock,
    log,
  })
  const accounts = assembleAccounts({
    config,
    store,
    ghl,
    evidence,
    handlers: contactHandlers({ messages, contacts, settings, nudge }),
    wake,
    clock,
    log,
  })
  started.defer(() => accounts.stop())
  const { chores } = accounts
  const attendance = createAttendance({ installations, numbers })

  const leases = new Leases({
    leases: store.leases,
    isAlone: store.kind === 'embedded',
    node: randomUUID(),
    onGained: async (lease) => {
      store.fences.grant(lease)
      if (lease.locationId === CHORES) chores.start()
      else await attendance.gain(lease.locationId)
      nudge()
    },
    onLeaving: async (location) => {
      const settled = worker.yield()
      ghl.leave(location)
      await settled
    },
    onLost: async (location) => {
      ghl.leave(location)
      if (location === CHORES) chores.stop()
      else await attendance.lose(location)
      store.fences.revoke(location)
    },
    clock,
    log,
  })
  const desk = createSessionDesk({ sessions, newId: randomUUID, clock })

  const fileLinks = createFileLinks(secrets.encryptionKeys, config.PUBLIC_URL, () => clock.nowMs())
  const jobs = {
    messages,
    fileLink: (message: MessageId, fileName: string) => fileLinks.to(message, fileName),
    contacts,
    sessions,
    settings,
    nudge,
    clock,
    numbers: { ...numbers, openMedia: openingForeignMedia(numbers, ghl.attachments) },
    conversations: onlyAsOwner(watched.conversations, (location) => leases.held().includes(location)),
    ghlContacts: ghl.contacts,
    attachments: ghl.attachments,
    behindLive: ghl.behindLive,
    groups: store.groups,
    groupContacts: ghl.groupContacts,
  }
  const worker = new OutboxWorker({
    outbox,
    handlers: jobHandlers(jobs),
    locations: () => leases.held(),
    onDead: (job, error) => giveUp(jobs, job, error),
    clock,
    log,
  })

  const importer = new HistoryImporter({
    history: store.history,
    locations: () => leases.held(),
    nudge,
    clock,
    log,
  })

  /** The app came or went: no token of before is used, and the numbers follow. */
  const noticeInstallation = (locationId: LocationId): void => {
    ghl.tokens.forget(locationId)
    attendance.check(locationId).catch((thrown: unknown) => {
      log.warn({ locationId, errorCode: toBridgeError(thrown).code }, 'could not follow an installation')
    })
  }

  await store.listen(({ topic, subject }) => {
    const [location = '', session] = subject.split(' ')
    const locationId = parseLocationId(location)
    if (topic === 'installation') {
      noticeInstallation(locationId)
      return
    }
    const isOurs = leases.held().includes(locationId)
    if (session !== undefined) desk.changed(locationId, parseSessionId(session))
    if (topic === 'work') desk.worked(locationId)
    if (topic === 'work' && isOurs) nudge()
    else if (topic === 'session' && isOurs) numbers.look(locationId)
    // Work for a location that nobody holds yet, or leases that were given back.
    else leases.nudge()
  })
  started.defer(() => leases.stop())
  await leases.start()
  // Where nothing can be heard of other nodes, somebody has to look; jobs have the worker's own poll.
  const lookAround = async (): Promise<void> => {
    if (store.kind === 'embedded') return
    desk.lookAround()
    const held = leases.held()
    if (held.length > 0) for (const location of await sessions.wished(held)) numbers.look(location)
  }
  const polling = setInterval(() => {
    // The next poll asks again.
    lookAround().catch(() => undefined)
  }, LOOK_AROUND_MS)
  const following = setInterval(() => {
    const follow = async () => {
      for (const location of await attendance.overlooked()) noticeInstallation(location)
    }
    // The next one asks again.
    follow().catch(() => undefined)
  }, FOLLOW_INSTALLATIONS_MS)
  started.defer(() => {
    clearInterval(polling)
    clearInterval(following)
  })
  worker.start()
  importer.start()
  started.defer(async () => {
    await importer.stop()
    const drained = worker.stop()
    for (const location of leases.held()) ghl.leave(location)
    await drained
  })

  const callLogSyncs = new CallLogSyncs({
    source: ghl.callLogs,
    callLogs: store.callLogs,
    syncs: store.syncs,
    clock,
    log,
  })
  callLogSyncs.start()
  started.defer(() => callLogSyncs.stop())
  const serviceKeys = createServiceKeys(store.serviceKeys)
  accounts.start()
  const server = await createServer({
    bodyLimitBytes: config.BODY_LIMIT_BYTES,
    publicUrl: config.PUBLIC_URL,
    trustedProxies: config.TRUSTED_PROXIES,
    callers: {
      apiKey: secrets.apiKey,
      consoleTokens: createConsoleTokens(secrets.encryptionKeys, secrets.apiKey),
      pageTokens: createPageTokens(secrets.encryptionKeys, config.GHL_SHARED_SECRET),
      openPageUser: (payload) => watched.openPageUser(payload),
      findServiceKey: async (key) => {
        const found = await serviceKeys.find(key)
        return found && { kind: 'service', ...found }
      },
    },
    desk,
    messageDesk: createMessageDesk({ messages, nudge }),
    history: store.history,
    splitDesk: createSplitDesk({ contacts, ghlContacts: ghl.contacts }),
    sessions,
    settings,
    installations,
    files: { fileLinks, openFile: (message) => openLinkedFile({ messages, numbers }, message) },
    siblings: {
      serviceKeys,
      audit: store.audit,
      gateway: ghl.gateway,
      products: ghl.products,
      lend: (installationId) => ghl.lend(installationId),
      callLogs: store.callLogs,
      syncCallLogs: (wishes, params) => callLogSyncs.sync(wishes, params),
      acceptFromEngine: (post, check) =>
        acceptFromEngine(
          { messages, sessions, nudge, wake, announced, onIgnored: (why) => ignored.add(why) },
          post,
          check,
        ),
      checkMediaUrl: (url) => {
        ghl.attachments.check(url)
      },
    },
    stats: store.stats,
    exposeMetrics: metrics.expose,
    ping: () => store.ping(),
    frameAncestors: (locationId) => frameAncestors(installations, config.GHL_FRAME_ANCESTORS, locationId),
    oauth: {
      installUrl: (state) => ghl.oauth.installUrl(state),
      complete: (code) => accounts.complete(code),
    },
    accounts: accounts.routes,
    webhooks: {
      verify: (raw, headers, target) => watched.verifyWebhook(raw, headers, target),
      parseDelivery: (json) => watched.parseDelivery(json),
      accept: (message, parts) =>
        acceptFromGhl({ messages, installations, settings, numbers, nudge, clock }, message, parts),
      ignore: async (delivery) => {
        await store.webhookEvents.recordIgnored(delivery)
        metrics.countIgnoredDelivery(delivery.reason)
      },
      isInstalled: async (location) => {
        const installation = await installations.findByLocation(location)
        return installation !== undefined && installation.status !== 'uninstalled'
      },
      acceptEvent: (json) => accounts.events.accept(ghl.parseAppEvent(json)),
    },
    log,
  })
  started.defer(() => server.close())
  const url = await listen(server, config.HOST, config.PORT)

  const running = started.move()
  return { url, stop: () => running.disposeAsync() }
}

/**
 * Nothing is added to a conversation for a location that another node works for by now: it would be added twice. What could
 * be repeated does no harm.
 */
function onlyAsOwner(
  conversations: GhlConversations,
  isOurs: (location: LocationId) => boolean,
): GhlConversations {
  const check = (location: LocationId): void => {
    if (isOurs(location)) return
    throw new StoreError('STORE_LEASE_LOST', 'Another node works for this location now')
  }
  return {
    ...conversations,
    addInbound: async (message) => {
      check(message.locationId)
      return await conversations.addInbound(message)
    },
    addNote: async (note) => {
      check(note.locationId)
      await conversations.addNote(note)
    },
  }
}

/** What each piece of the set-up hangs on: seen with other values, it says nothing of these. */
const piecesOf = (config: Config) => ({
  credentials: [config.GHL_CLIENT_ID, config.GHL_CLIENT_SECRET],
  provider: [config.GHL_PROVIDER_ID, config.GHL_PROVIDER_TYPE],
  events: config.GHL_WEBHOOK_PUBLIC_KEY,
  delivery: [...config.GHL_WEBHOOK_PUBLIC_KEY, config.GHL_PROVIDER_ID],
  sso: [config.GHL_SHARED_SECRET],
})

const ghlConfig = (config: Config) => ({
  clientId: config.GHL_CLIENT_ID,
  sharedSecret: config.GHL_SHARED_SECRET,
  clientSecret: config.GHL_CLIENT_SECRET,
  redirectUri: config.GHL_REDIRECT_URI,
  appVersionId: config.GHL_APP_VERSION_ID,
  providerId: config.GHL_PROVIDER_ID,
  providerType: config.GHL_PROVIDER_TYPE,
  apiUrl: config.GHL_API_URL,
  marketplaceUrl: config.GHL_MARKETPLACE_URL,
  webhookPublicKeys: config.GHL_WEBHOOK_PUBLIC_KEY,
  timeoutMs: config.GHL_TIMEOUT_MS,
  attachmentAllowedHosts: config.ATTACHMENT_ALLOWED_HOSTS,
})
