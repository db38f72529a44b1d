/** What sibling backends see: our routes on a real store, in front of the strict GHL sandbox, over real HTTP. */

import { type GhlSandboxOptions, startGhlSandbox } from '../../../sandbox/ghl/ghl-sandbox.ts'
import { CallLogSyncs } from '../../../src/bridge/call-logs.ts'
import { acceptFromEngine } from '../../../src/bridge/engine.ts'
import { createMessageDesk } from '../../../src/bridge/message-desk.ts'
import type { SessionDesk } from '../../../src/bridge/ports.ts'
import type { ServiceScope } from '../../../src/bridge/service-keys.ts'
import { createSplitDesk } from '../../../src/bridge/split-contacts.ts'
import { systemClock } from '../../../src/core/clock.ts'
import { RequestError } from '../../../src/core/errors.ts'
import { type LocationId, parseLocationId } from '../../../src/core/ids.ts'
import { createGhl } from '../../../src/ghl/ghl.ts'
import type { CallerDeps, PageRole } from '../../../src/http/auth.ts'
import { createServer, listen } from '../../../src/http/server.ts'
import { createServiceKeys } from '../../../src/http/service-keys.ts'
import { openPostgres } from '../../../src/store/postgres.ts'
import { notReached, onlyOperator } from '../../support/callers.ts'
import { freshDatabase } from '../../support/postgres.ts'
import { silentLog } from '../../support/silent-log.ts'
import { approve } from '../ghl/bench.ts'
import { subjectOf } from '../store/subject.ts'

export const OPERATOR = 'operator-key-of-the-test'
const REDIRECT_URI = 'http://127.0.0.1:9/oauth/callback'

/** The real limits, scaled down: a second here is half a minute there. */
export const BODY_TIMES = { wholeMs: 1_000, stallMs: 1_000, streamMs: 8_000 }
/** How long a caller waits for a sync of call logs here. */
export const CALL_LOG_PATIENCE_MS = 3_000

/** @param apiOf where the bridge finds GHL's API, given the sandbox's address; default: there. */
export async function startGatewayBench(
  options: GhlSandboxOptions = {},
  apiOf: (sandboxUrl: string) => string | Promise<string> = (url) => url,
) {
  const target = await freshDatabase()
  const subject = subjectOf('postgres', await openPostgres(target.url, silentLog))
  const { store } = subject
  const sandbox = await startGhlSandbox({ redirectUris: [REDIRECT_URI], ...options })
  const apiUrl = await apiOf(sandbox.url)
  /** The adapter of a process. */
  const anotherGhl = () =>
    createGhl({
      config: {
        apiUrl,
        marketplaceUrl: sandbox.marketplaceUrl,
        clientId: sandbox.clientId,
        clientSecret: sandbox.clientSecret,
        redirectUri: REDIRECT_URI,
        appVersionId: undefined,
        providerId: sandbox.providerId,
        providerType: 'custom',
        sharedSecret: undefined,
        webhookPublicKeys: [sandbox.publicKey],
        timeoutMs: 5_000,
        attachmentAllowedHosts: [new URL(sandbox.url).host],
      },
      installations: store.installations,
      log: silentLog,
      clock: systemClock,
    })
  const ghl = anotherGhl()
  const callLogSyncs = new CallLogSyncs({
    source: ghl.callLogs,
    callLogs: store.callLogs,
    syncs: store.syncs,
    clock: systemClock,
    log: silentLog,
    patienceMs: CALL_LOG_PATIENCE_MS,
  })
  const serviceKeys = createServiceKeys(store.serviceKeys)
  const callers: CallerDeps = {
    ...onlyOperator(OPERATOR),
    findServiceKey: async (key) => {
      const found = await serviceKeys.find(key)
      return found && { kind: 'service', ...found }
    },
  }
  const app = await createServer({
    bodyLimitBytes: 65_536,
    bodyTimes: BODY_TIMES,
    publicUrl: 'https://bridge.example',
    accounts: notReached,
    callers,
    desk: {} as SessionDesk, // not reached by these routes
    splitDesk: createSplitDesk({ contacts: store.contacts, ghlContacts: ghl.contacts }),
    messageDesk: createMessageDesk({ messages: store.messages, nudge: () => undefined }),
    sessions: store.sessions,
    settings: store.settings,
    installations: store.installations,
    history: store.history,
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
          {
            messages: store.messages,
            sessions: store.sessions,
            nudge: () => undefined,
            wake: () => Promise.resolve(),
            announced: new Set(),
            onIgnored: () => undefined,
          },
          post,
          check,
        ),
      checkMediaUrl: (url) => {
        ghl.attachments.check(url)
      },
    },
    stats: store.stats,
    frameAncestors: () => Promise.resolve([]),
    ping: () => store.ping(),
    oauth: undefined,
    webhooks: {
      verify: () => false,
      parseDelivery: () => ({ ignored: 'empty', webhookId: 'none', locationId: undefined }),
      ignore: () => Promise.resolve(),
      isInstalled: () => Promise.resolve(false),
      accept: () => Promise.reject(new RequestError('FORBIDDEN', 'not in this test')),
      acceptEvent: () => Promise.resolve({ ignored: 'nothing' }),
    },
    log: silentLog,
  })
  const url = await listen(app, '127.0.0.1', 0)

  const call = (method: string, path: string, bearer = OPERATOR, json?: unknown) =>
    fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${bearer}`,
        ...(json !== undefined && { 'content-type': 'application/json' }),
      },
      ...(json !== undefined && { body: JSON.stringify(json) }),
    })

  return {
    url,
    sandbox,
    store,
    subject,
    ghl,
    anotherGhl,
    call,
    async install(name = 'Dental Care'): Promise<LocationId> {
      const location = sandbox.addLocation({ name })
      await ghl.oauth.complete(await approve(ghl.oauth.installUrl('s'), { location_id: location.id }))
      return parseLocationId(location.id)
    },
    /** A service key, made as the operator makes it. */
    async key(
      scopes: readonly (ServiceScope | 'read' | 'write')[],
      locationId?: string,
    ): Promise<{ id: string; key: string }> {
      const answer = await call('POST', '/api/keys', OPERATOR, { name: 'Shop', scopes, locationId })
      if (answer.status !== 201) throw new Error(`no key: ${answer.status} ${await answer.text()}`)
      return (await answer.json()) as { id: string; key: string } // our own contract
    },
    /** The bearer of a page inside GHL. */
    page: (locationId: LocationId, role: PageRole): string =>
      callers.pageTokens.issue({ locationId, role, userId: 'u1' }).token,
    /** As the server does when it ends. */
    stopCallLogSyncs: () => callLogSyncs.stop(),
    async stop(): Promise<void> {
      await callLogSyncs.stop()
      await app.close()
      await ghl.close()
      await sandbox.stop()
      await store.close()
      await target.drop()
    },
  }
}

export type GatewayBench = Awaited<ReturnType<typeof startGatewayBench>>

/** The code of an error answer, whatever else it says. */
export async function codeOf(answer: Response): Promise<string | undefined> {
  return ((await answer.json()) as { error?: { code?: string } }).error?.code // our own contract
}
