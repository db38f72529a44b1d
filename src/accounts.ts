/** Installations, their tokens, their events and what is done for them now and then, put together. */
import { AgencySync } from './bridge/agency-sync.ts'
import { AppEvents, type EventHandler } from './bridge/app-events.ts'
import type { Evidence } from './bridge/evidence.ts'
import type { InstallationRow } from './bridge/installations.ts'
import { installHandlers } from './bridge/installs.ts'
import { TokenCare } from './bridge/token-care.ts'
import { agencyChores, Chores, tokenChores } from './chores.ts'
import type { Config } from './config.ts'
import type { Clock } from './core/clock.ts'
import { toBridgeError } from './core/errors.ts'
import type { LocationId } from './core/ids.ts'
import type { Log } from './core/log.ts'
import type { Ghl } from './ghl/ghl.ts'
import type { AccountDeps } from './http/server.ts'
import type { Store } from './store/open-store.ts'

const NEEDED = ['GHL_CLIENT_ID', 'GHL_CLIENT_SECRET', 'GHL_PROVIDER_ID', 'GHL_SHARED_SECRET'] as const

/**
 * On every node, not only the one with the chores: that lease takes its time to change hands, and what a dead node's refresh
 * has left is to be had for 30 s, of which its hold takes half.
 */
const FINISH_EVERY_MS = 3_000

export interface AccountsDeps {
  readonly config: Config
  readonly store: Store
  readonly ghl: Ghl
  readonly evidence: Evidence
  /** Further app events, by GHL's word. */
  readonly handlers: Readonly<Record<string, EventHandler>>
  readonly wake: (locationId: LocationId) => Promise<void>
  readonly clock: Clock
  readonly log: Log
}

export interface Accounts {
  readonly events: AppEvents
  readonly chores: Chores
  readonly care: TokenCare
  readonly agencySync: AgencySync
  readonly routes: AccountDeps
  /** The person's code: saved when it resolves; an agency's locations follow in the background. */
  complete(code: string): Promise<InstallationRow>
  start(): void
  /** Resolves when nothing is done for any installation any more. */
  stop(): Promise<void>
}

export function assembleAccounts({
  config,
  store,
  ghl,
  evidence,
  handlers,
  wake,
  clock,
  log,
}: AccountsDeps): Accounts {
  const { installations, syncs, webhookEvents } = store
  /** What GHL calls the location and where it is; the installation is good without it, and the daily check asks again. */
  const learnPlace = async (row: InstallationRow, locationId: LocationId): Promise<void> => {
    try {
      await installations.describe(locationId, await ghl.probe.read(row))
    } catch (thrown) {
      log.debug({ locationId, errorCode: toBridgeError(thrown).code }, 'could not learn a location’s place')
    }
  }
  const agency: Ghl['oauth'] = {
    ...ghl.oauth,
    connect: async (locationId, companyId) => {
      const outcome = await ghl.oauth.connect(locationId, companyId)
      const row = outcome === 'connected' ? await installations.findByLocation(locationId) : undefined
      if (row?.status === 'active' && row.timeZone === undefined) await learnPlace(row, locationId)
      return outcome
    },
  }
  const check = (row: InstallationRow) => ghl.probe.read(row)
  const agencySync = new AgencySync({ installations, syncs, agency, check, wake, clock, log })
  const tokens = {
    refresh: (row: InstallationRow) => ghl.tokens.refresh(row),
    finish: (row: InstallationRow) => ghl.tokens.finish(row),
    check,
  }
  const care = new TokenCare({ installations, syncs, agency, tokens, wake, clock, log })
  const events = new AppEvents({
    events: webhookEvents,
    parse: (json) => ghl.parseAppEvent(json),
    handlers: {
      ...handlers,
      ...installHandlers({
        installations,
        agency,
        sync: (companyId) => agencySync.start(companyId),
        check,
        wake,
      }),
    },
    appId: config.GHL_CLIENT_ID?.split('-')[0],
    log,
  })
  const prune = async (): Promise<void> => {
    await store.prune()
    await webhookEvents.prune().catch((thrown: unknown) => {
      log.warn({ errorCode: toBridgeError(thrown).code }, 'could not prune the app events')
    })
  }
  const chores = new Chores({
    prune,
    resume: () => agencySync.resume(),
    chores: [...tokenChores(care), ...agencyChores(agencySync)],
    syncs,
    log,
  })

  let finishing: NodeJS.Timeout | undefined
  let looking: Promise<void> | undefined
  const finish = (): void => {
    looking ??= care
      .finishRefreshes()
      .catch((thrown: unknown) => {
        log.debug({ errorCode: toBridgeError(thrown).code }, 'could not look for unfinished refreshes')
      })
      .finally(() => {
        looking = undefined
      })
  }

  return {
    events,
    chores,
    care,
    agencySync,
    routes: {
      installUrl: `${config.PUBLIC_URL}/oauth/install`,
      care,
      agencySync,
      wake,
      syncs,
      webhookEvents,
      setup: {
        publicUrl: config.PUBLIC_URL,
        redirectUri: config.GHL_REDIRECT_URI,
        store: store.kind,
        providerType: config.GHL_PROVIDER_TYPE,
      },
      check: {
        ping: () => store.ping(),
        probe: ghl.probe,
        missing: NEEDED.filter((name) => config[name] === undefined),
        evidence,
      },
    },
    async complete(code) {
      const row = await ghl.oauth.complete(code)
      if (row.locationId !== undefined) {
        await wake(row.locationId)
        void learnPlace(row, row.locationId)
      } else if (row.companyId !== undefined) agencySync.start(row.companyId, row.refreshedAt)
      return row
    },
    start() {
      events.start()
      finishing = setInterval(finish, FINISH_EVERY_MS)
      finish()
    },
    async stop() {
      chores.stop()
      clearInterval(finishing)
      await Promise.all([events.stop(), agencySync.stop(), care.stop(), looking])
    },
  }
}
