/** The GHL adapter in front of the strict sandbox, over real HTTP. */

import { type GhlSandboxOptions, startGhlSandbox } from '../../../sandbox/ghl/ghl-sandbox.ts'
import { systemClock } from '../../../src/core/clock.ts'
import { type LocationId, parseLocationId } from '../../../src/core/ids.ts'
import type { Log } from '../../../src/core/log.ts'
import { createGhl, type Ghl, type GhlConfig } from '../../../src/ghl/ghl.ts'
import { createMemoryInstallations } from '../../support/memory-installations.ts'

const REDIRECT_URI = 'http://127.0.0.1:9/oauth/callback'

export const silent: Log = {
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  fatal: () => undefined,
  child: () => silent,
}

export async function startBench(options: GhlSandboxOptions = {}, change: Partial<GhlConfig> = {}) {
  const sandbox = await startGhlSandbox({ redirectUris: [REDIRECT_URI], statusEarlyMs: 0, ...options })
  const installations = createMemoryInstallations()
  const config: GhlConfig = {
    apiUrl: sandbox.url,
    marketplaceUrl: sandbox.marketplaceUrl,
    clientId: sandbox.clientId,
    clientSecret: sandbox.clientSecret,
    sharedSecret: sandbox.sharedSecret,
    redirectUri: REDIRECT_URI,
    appVersionId: undefined,
    providerId: sandbox.providerId,
    providerType: 'custom',
    webhookPublicKeys: [sandbox.publicKey],
    timeoutMs: 5_000,
    attachmentAllowedHosts: [new URL(sandbox.url).host],
    ...change,
  }
  /** A further node: the same store, a process of its own. */
  const node = (): Ghl =>
    createGhl({
      config,
      installations,
      onRecovered: (resourceId) => recovered.push(resourceId),
      log: silent,
      clock: systemClock,
    })
  /** Locations that GHL answered for again. */
  const recovered: string[] = []
  const ghl = node()
  const others: Ghl[] = []

  return {
    sandbox,
    installations,
    recovered,
    ghl,
    anotherNode(): Ghl {
      const other = node()
      others.push(other)
      return other
    },
    /** Installs the app as a person would: link, choice, code, callback. */
    async install(name = 'Dental Care'): Promise<LocationId> {
      const location = sandbox.addLocation({ name })
      await ghl.oauth.complete(await approve(ghl.oauth.installUrl('s'), { location_id: location.id }))
      return parseLocationId(location.id)
    },
    async stop(): Promise<void> {
      await Promise.all([ghl, ...others].map((each) => each.close()))
      await sandbox.stop()
    },
  }
}

export type Bench = Awaited<ReturnType<typeof startBench>>

/** The person's part of an installation; the code that comes back to the callback. */
export async function approve(installUrl: string, choice: Readonly<Record<string, string>>): Promise<string> {
  const link = new URL(installUrl)
  for (const [name, value] of Object.entries({ approve: '1', ...choice })) link.searchParams.set(name, value)
  const answer = await fetch(link, { redirect: 'manual' })
  const back = new URL(answer.headers.get('location') ?? 'about:blank')
  if (back.searchParams.get('state') !== link.searchParams.get('state')) throw new Error('the state was lost')
  return back.searchParams.get('code') ?? ''
}
