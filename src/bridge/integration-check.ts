/** Whether the whole way to GHL works, step by step, with the time each step took. */
import { type BridgeError, ConfigError, GhlError, toBridgeError } from '../core/errors.ts'
import type { LocationId } from '../core/ids.ts'
import type { InstallationRow, InstallationStore } from './installations.ts'

export interface CheckStep {
  readonly name:
    | 'configuration'
    | 'store'
    | 'ghl_reach'
    | 'token'
    | 'location_read'
    | 'provider'
    | 'webhook_key'
  readonly ok: boolean
  /** Milliseconds. */
  readonly ms: number
  readonly code: string | null
  readonly message: string | null
  readonly action: string | null
}

export interface IntegrationCheckDeps {
  readonly installations: Pick<InstallationStore, 'findByLocation' | 'page'>
  readonly ping: () => Promise<void>
  readonly probe: {
    reach(): Promise<void>
    token(locationId: LocationId): Promise<void>
    read(installation: InstallationRow): Promise<unknown>
  }
  /** Names of variables that the app needs and that are not set. */
  readonly missing: readonly string[]
  readonly hasProvider: boolean
  readonly webhookKeys: number
}

/**
 * Runs every step, also after one that failed, so that one look shows all that is wrong.
 *
 * @param locationId undefined takes any connected location.
 */
export async function checkIntegration(
  deps: IntegrationCheckDeps,
  locationId: LocationId | undefined,
): Promise<{ readonly locationId: LocationId | null; readonly steps: readonly CheckStep[] }> {
  const subject = () => subjectOf(deps.installations, locationId)
  const steps = [
    await timed('configuration', () => {
      if (deps.missing.length > 0)
        throw new ConfigError('CONFIG_MISSING', `Not set: ${deps.missing.join(', ')}`, {
          action: 'Set them as docs/configuration.md says, and start again.',
        })
    }),
    await timed('store', deps.ping),
    await timed('ghl_reach', deps.probe.reach),
    await timed('token', async () => {
      const { locationId: found } = await subject()
      if (found !== undefined) await deps.probe.token(found)
    }),
    await timed('location_read', async () => {
      await deps.probe.read(await subject())
    }),
    await timed('provider', () => {
      if (!deps.hasProvider)
        throw new ConfigError('CONFIG_MISSING', 'GHL_PROVIDER_ID is not set', {
          action: 'Copy the id of the conversation provider from the portal.',
        })
    }),
    await timed('webhook_key', () => {
      if (deps.webhookKeys === 0)
        throw new ConfigError('CONFIG_MISSING', 'There is no key to check GHL’s webhooks with')
    }),
  ]
  const found = await subject().catch(() => undefined)
  return { locationId: found?.locationId ?? null, steps }
}

async function subjectOf(
  installations: IntegrationCheckDeps['installations'],
  locationId: LocationId | undefined,
): Promise<InstallationRow> {
  const named = locationId && (await installations.findByLocation(locationId))
  const row = locationId === undefined ? await anyConnected(installations) : named
  if (row !== undefined) return row
  throw new GhlError('GHL_NOT_INSTALLED', 'The app is not installed there', {
    action: 'Install it with /oauth/install.',
  })
}

async function anyConnected(
  installations: IntegrationCheckDeps['installations'],
): Promise<InstallationRow | undefined> {
  for (const health of ['healthy', 'expiring', 'expired'] as const) {
    const { rows } = await installations.page({ userType: 'Location', health, limit: 1 })
    if (rows[0] !== undefined) return rows[0]
  }
  return undefined
}

async function timed(name: CheckStep['name'], act: () => Promise<void> | void): Promise<CheckStep> {
  const beganAtMs = performance.now()
  const done = (error?: BridgeError): CheckStep => ({
    name,
    ok: error === undefined,
    ms: Math.round((performance.now() - beganAtMs) * 10) / 10,
    code: error?.code ?? null,
    message: error?.message ?? null,
    action: error?.action ?? null,
  })
  try {
    await act()
    return done()
  } catch (thrown) {
    return done(toBridgeError(thrown))
  }
}
