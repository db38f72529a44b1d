/** Whether the whole way to GHL works, step by step, with the time each step took. */
import { type BridgeError, ConfigError, GhlError, toBridgeError } from '../core/errors.ts'
import type { LocationId } from '../core/ids.ts'
import { type Evidence, PIECES, type Piece, type Refused, type Verdict } from './evidence.ts'
import type { InstallationRow, InstallationStore } from './installations.ts'

export interface CheckStep {
  readonly name: 'configuration' | 'store' | 'ghl_reach' | 'token' | 'location_read' | 'webhook_key' | Piece
  /** `wait`: nothing speaks against it, and nothing has proved it yet. */
  readonly state: Verdict['state']
  /** False when it went wrong, or could not be tried. What only waits to be seen is not wrong. */
  readonly ok: boolean
  /** Milliseconds. */
  readonly ms: number
  /** When GHL itself decided it, of a step that is known by what was seen; null for the others. */
  readonly at: Date | null
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
  readonly evidence: Pick<Evidence, 'verdicts'>
}

/** The variable without which a piece cannot work. */
const NEEDS: Readonly<Partial<Record<Piece, readonly string[]>>> = {
  credentials: ['GHL_CLIENT_ID', 'GHL_CLIENT_SECRET'],
  provider: ['GHL_PROVIDER_ID'],
  sso: ['GHL_SHARED_SECRET'],
}

/** What each refusal means for whoever can cure it. */
const REFUSALS: Readonly<Record<Piece, { readonly message: string; readonly action: string }>> = {
  credentials: {
    message: 'GHL did not accept the app’s credentials',
    action: 'Copy GHL_CLIENT_ID and GHL_CLIENT_SECRET from the app’s settings at GHL again.',
  },
  provider: {
    message: 'GHL took no message for this conversation provider',
    action: 'Check GHL_PROVIDER_ID and that the installed version of the app owns that provider.',
  },
  events: {
    message: 'An app event came whose signature does not fit the key',
    action: 'Check GHL_WEBHOOK_PUBLIC_KEY against GHL’s documentation.',
  },
  delivery: {
    message: 'A message came whose signature does not fit the key',
    action: 'Check GHL_WEBHOOK_PUBLIC_KEY against GHL’s documentation.',
  },
  sso: {
    message: 'The word of a page inside GHL did not open with the shared secret',
    action: 'Copy GHL_SHARED_SECRET from the app’s settings at GHL again.',
  },
}
const FOREIGN = {
  message: 'A message came for another conversation provider than ours',
  action: 'Check GHL_PROVIDER_ID, and the delivery URL of the other provider.',
}

/**
 * Runs every step, also after one that failed, so that one look shows all that is wrong. What cannot be tried from here is
 * judged by what was last seen of it.
 *
 * @param locationId undefined takes any connected location.
 */
export async function checkIntegration(
  deps: IntegrationCheckDeps,
  locationId: LocationId | undefined,
): Promise<{ readonly locationId: LocationId | null; readonly steps: readonly CheckStep[] }> {
  const subject = () => subjectOf(deps.installations, locationId)
  const tried = [
    await timed('configuration', () => needed(deps.missing)),
    await timed('store', deps.ping),
    await timed('ghl_reach', deps.probe.reach),
    await timed('token', async () => {
      const { locationId: found } = await subject()
      if (found !== undefined) await deps.probe.token(found)
    }),
    await timed('location_read', async () => {
      await deps.probe.read(await subject())
    }),
  ]
  const verdicts = await deps.evidence.verdicts().catch(() => undefined)
  const seen = PIECES.map((piece) => {
    const missing = deps.missing.filter((name) => NEEDS[piece]?.includes(name) === true)
    return seenStep(piece, verdicts?.[piece], missing)
  })
  const found = await subject().catch(() => undefined)
  return { locationId: found?.locationId ?? null, steps: [...tried, ...seen, keyStep(verdicts)] }
}

function needed(missing: readonly string[]): void {
  if (missing.length === 0) return
  throw new ConfigError('CONFIG_MISSING', `Not set: ${missing.join(', ')}`, {
    action: 'Set them as docs/configuration.md says, and start again.',
  })
}

/** @param verdict undefined: the store could not be asked, which is a step of its own. */
function seenStep(piece: Piece, verdict: Verdict | undefined, missing: readonly string[]): CheckStep {
  const step = { name: piece, ok: true, ms: 0, at: verdict?.at ?? null }
  const silent = { code: null, message: null, action: null }
  if (missing.length > 0) {
    const message = `Not set: ${missing.join(', ')}`
    const action = 'Copy it from the app’s settings at GHL.'
    return { ...step, ok: false, state: 'bad', code: 'CONFIG_MISSING', message, action }
  }
  if (verdict === undefined || verdict.state !== 'bad')
    return { ...step, ...silent, state: verdict?.state ?? 'wait' }
  const words = verdict.reason === 'foreign_provider' ? FOREIGN : REFUSALS[piece]
  return { ...step, ...words, ok: false, state: 'bad', code: CODES[verdict.reason ?? 'refused'] }
}

const CODES: Readonly<Record<Refused, string>> = {
  refused: 'REFUSED',
  signature: 'WEBHOOK_SIGNATURE_INVALID',
  foreign_provider: 'FOREIGN_PROVIDER',
}

/** The key by both of our URLs together: the newest that came signed decides. */
function keyStep(verdicts: Readonly<Record<Piece, Verdict>> | undefined): CheckStep {
  const newest = [verdicts?.events, verdicts?.delivery]
    .filter((verdict) => verdict !== undefined && verdict.at !== null)
    .sort((one, other) => Number(other?.at) - Number(one?.at))[0]
  const isWrong = newest?.reason === 'signature'
  const verdict = newest === undefined || isWrong ? newest : { ...newest, state: 'ok' as const, reason: null }
  return { ...seenStep('events', verdict, []), name: 'webhook_key' }
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
    state: error === undefined ? 'ok' : error.code === 'GHL_NOT_INSTALLED' ? 'wait' : 'bad',
    ok: error === undefined,
    at: null,
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
