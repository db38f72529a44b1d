/** The parts that routes, pages and the in-process API share. Made once by `startGhlSandbox`. */
import { randomUUID } from 'node:crypto'
import type { CallLog } from './call-log.ts'
import type { Deliveries } from './deliveries.ts'
import type { FaultBook } from './faults.ts'
import type { RateLimiter } from './rate-limit.ts'
import type { Settings } from './settings.ts'
import type { AppIdentity, TokenAuthority } from './tokens.ts'
import type { World } from './world.ts'

export interface ProviderIdentity {
  readonly id: string
  /** `custom`: the box "custom conversation provider" is ticked. `sms`: it replaces the location's SMS. */
  readonly kind: 'custom' | 'sms'
}

export interface SandboxParts {
  readonly app: AppIdentity
  readonly provider: ProviderIdentity
  readonly redirectUris: string[]
  readonly sharedSecret: string
  readonly settings: Settings
  readonly world: World
  readonly tokens: TokenAuthority
  readonly limiter: RateLimiter
  readonly faults: FaultBook
  readonly callLog: CallLog
  readonly deliveries: Deliveries
  /** Base URL, known once the server listens. */
  url: string
}

/** Posts an app event to the webhook URL, if one is set. Events go out in the background. */
export function emitEvent(
  parts: SandboxParts,
  type: string,
  locationId: string | undefined,
  payload: Record<string, unknown>,
  messageId?: string,
): Promise<void> {
  return parts.deliveries.post({
    target: 'webhook',
    locationId,
    messageId,
    payload: {
      // First, because a contact has a `type` of its own.
      ...payload,
      type,
      ...(locationId === undefined ? {} : { locationId }),
      appId: parts.app.appId,
      versionId: versionFor(parts, locationId),
      timestamp: new Date().toISOString(),
      webhookId: randomUUID(),
    },
  })
}

/** A location's events carry the version that it runs. */
function versionFor({ app, world }: SandboxParts, locationId: string | undefined): string {
  return world.locations.get(locationId ?? '')?.versionId ?? app.versionId
}
