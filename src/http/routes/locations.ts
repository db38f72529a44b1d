/** Every location with the health of its tokens and its numbers. Register behind the guard. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type {
  InstallationRow,
  InstallationStore,
  InstallationView,
  Problem,
} from '../../bridge/installations.ts'
import type { SessionDesk, SessionSnapshot } from '../../bridge/ports.ts'
import { type LocationId, parseLocationId } from '../../core/ids.ts'
import { confinedTo, may, shownTo } from '../auth.ts'
import { Id, NUMBERS_STATES, ProblemBody, SessionBody, TOKEN_HEALTHS } from '../schemas.ts'
import type { SessionShown } from '../session-body.ts'

export interface LocationDeps {
  readonly desk: Pick<SessionDesk, 'listOf'>
  readonly installations: Pick<InstallationStore, 'page'>
  /** Where a person connects a location again. */
  readonly installUrl: string
}

const Query = z.object({
  search: z.string().trim().min(1).max(100).optional(),
  health: z.enum(TOKEN_HEALTHS).optional(),
  numbers: z
    .enum([...NUMBERS_STATES, 'trouble'])
    .optional()
    .describe(
      'By what cures the worst of its numbers: `person` at WhatsApp, a `scan`, or nothing as it is `reconnecting`; `trouble` is all three',
    ),
  order: z.enum(['name', 'trouble']).default('name').describe('`trouble`: what needs somebody stands first'),
  companyId: Id.optional(),
  locationId: Id.optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  cursor: z.string().min(1).max(1_000).optional(),
})

const LocationBody = z.object({
  locationId: z.string(),
  name: z.string().nullable(),
  timeZone: z.string().nullable().describe('IANA name; null until GHL has said it'),
  companyId: z.string().nullable(),
  companyName: z.string().nullable(),
  installationId: z.string(),
  /** `connected`: calls to GHL work as far as we know. */
  status: z.enum(['connected', 'not_connected', 'uninstalled']),
  tokenHealth: z.enum(TOKEN_HEALTHS),
  tokenExpiresAt: z.string(),
  versionId: z.string().nullable(),
  installedAt: z.string(),
  problem: ProblemBody.nullable(),
  /** By the operator, until he activates it or somebody installs the app there anew. */
  deactivated: z.boolean(),
  /** Where to connect it again; null while nothing is wrong. */
  reconnectUrl: z.string().nullable(),
  /** Messages that wait for somebody: failed ones, and held ones. */
  dead: z.number().int(),
  held: z.number().int(),
  sessions: z.array(SessionBody),
})

const READ = may({ page: 'user', scope: 'locations:read' })

export function locationRoutes(deps: LocationDeps): FastifyPluginCallbackZod {
  return (app, _options, done) => {
    app.get(
      '/api/ghl/locations',
      {
        config: READ,
        schema: {
          querystring: Query,
          response: {
            200: z.object({
              locations: z.array(LocationBody),
              total: z.number().int(),
              nextCursor: z.string().nullable(),
            }),
          },
        },
      },
      async (request) => {
        const { locationId, ...query } = request.query
        const asked =
          confinedTo(request) ?? (locationId === undefined ? undefined : parseLocationId(locationId))
        const page = await deps.installations.page({
          userType: 'Location',
          ...present(query),
          limit: query.limit,
          ...(asked !== undefined && { locationId: asked }),
        })
        const sessions = await sessionsOf(page.rows, shownTo(request))
        return {
          locations: page.rows.map((row) => bodyOf(row, sessions.get(row.locationId) ?? [])),
          total: page.total,
          nextCursor: page.nextCursor ?? null,
        }
      },
    )
    done()
  }

  async function sessionsOf(
    rows: readonly InstallationRow[],
    show: (session: SessionSnapshot) => SessionShown,
  ): Promise<ReadonlyMap<LocationId | undefined, SessionShown[]>> {
    const listed = await deps.desk.listOf(rows.flatMap((row) => row.locationId ?? []))
    return Map.groupBy<LocationId | undefined, SessionShown>(listed.map(show), (each) => each.locationId)
  }

  function bodyOf(row: InstallationView, sessions: SessionShown[]) {
    const problem = problemOf(row)
    return {
      locationId: row.locationId ?? '',
      name: row.locationName ?? null,
      timeZone: row.timeZone ?? null,
      companyId: row.companyId ?? null,
      companyName: row.companyName ?? null,
      installationId: row.installationId,
      status: statusOf(row),
      tokenHealth: row.health,
      tokenExpiresAt: row.tokenExpiresAt.toISOString(),
      versionId: row.versionId ?? null,
      installedAt: row.installedAt.toISOString(),
      problem: problem && { action: null, ...problem },
      deactivated: row.status === 'deactivated',
      reconnectUrl: row.status === 'active' ? null : deps.installUrl,
      dead: row.dead,
      held: row.held,
      sessions,
    }
  }
}

function statusOf({ status }: InstallationRow): 'connected' | 'not_connected' | 'uninstalled' {
  if (status === 'active') return 'connected'
  return status === 'uninstalled' ? 'uninstalled' : 'not_connected'
}

/** The one thing that is wrong with an installation, in words for whoever can cure it. */
export function problemOf({ status, problem }: InstallationRow): Problem | null {
  switch (status) {
    case 'active':
      return problem ?? null
    case 'pending':
      return (
        problem ?? {
          code: 'GHL_NOT_CONNECTED',
          message: 'The app is installed here, but GHL has given no token for it yet',
          action: 'Open the reconnect link, or install the app as the agency.',
        }
      )
    case 'needs_reconnect':
      return {
        code: 'GHL_NEEDS_RECONNECT',
        message: problem?.message ?? 'GHL no longer accepts this installation’s tokens',
        action: 'Open the reconnect link and choose this location.',
      }
    case 'deactivated':
      return {
        code: 'GHL_DEACTIVATED',
        message: 'The operator has deactivated this installation; its numbers and messages wait',
        action: 'Activate it again: the numbers reconnect by themselves.',
      }
    case 'uninstalled':
      return {
        code: 'GHL_NOT_INSTALLED',
        message: 'The app was removed from this location; its numbers wait for the next installation',
        action: 'Install the app again: the numbers reconnect by themselves.',
      }
  }
}

/** Without the members that are undefined. */
function present<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> } // the same keys, fewer values
}
