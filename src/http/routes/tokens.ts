/** The health of every installation's tokens, and their refresh. No route shows a token. Register behind the guard. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import {
  INSTALLATION_STATUSES,
  type InstallationRow,
  type InstallationStore,
  type TokenHealth,
} from '../../bridge/installations.ts'
import type { TokenCare } from '../../bridge/token-care.ts'
import { RequestError } from '../../core/errors.ts'
import { Id, ProblemBody, TOKEN_HEALTHS } from '../schemas.ts'
import { problemOf } from './locations.ts'

export interface TokenDeps {
  readonly installations: InstallationStore
  readonly care: Pick<TokenCare, 'refresh' | 'refreshOne'>
  /** Where a person connects an installation again. */
  readonly installUrl: string
}

/** What takes longer goes on without the caller: proxies give up at 30 seconds and more. */
const LONGEST_ANSWER_MS = 20_000

const tally = z.number().int()
const Counts = z.record(z.enum(TOKEN_HEALTHS), tally)

const Query = z.object({
  health: z.enum(TOKEN_HEALTHS).optional(),
  userType: z.enum(['Location', 'Company']).optional().describe('`Company`: the agencies’ own'),
  search: z.string().trim().min(1).max(100).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  cursor: z.string().min(1).max(1_000).optional(),
})

/** An installation and how its tokens are, without the tokens. */
export const InstallationBody = z.object({
  installationId: z.string(),
  locationId: z.string().nullable(),
  companyId: z.string().nullable(),
  name: z.string().nullable(),
  userType: z.enum(['Location', 'Company']),
  status: z.enum(INSTALLATION_STATUSES),
  health: z.enum(TOKEN_HEALTHS),
  scopes: z.array(z.string()),
  isBulk: z.boolean(),
  versionId: z.string().nullable(),
  expiresAt: z.string().nullable().describe('null while there is no token'),
  refreshedAt: z.string().nullable(),
  checkedAt: z.string().nullable(),
  installedAt: z.string(),
  problem: ProblemBody.nullable(),
  deactivated: z.boolean(),
  reconnectUrl: z
    .string()
    .nullable()
    .describe('Where a person connects it again; null while nothing is wrong'),
})

const ReportBody = z.object({
  considered: tally,
  refreshed: tally,
  failed: tally,
  needsReconnect: tally.describe(
    'those for which nothing was tried, for only a person can connect them; not failed',
  ),
  due: tally.describe(
    'Those that are tried, or would be without a dry run; the results hold a thousand at most',
  ),
  results: z.array(
    z.object({
      installationId: z.string(),
      locationId: z.string().nullable(),
      outcome: z.enum(['refreshed', 'would_refresh', 'failed', 'needs_reconnect']),
      code: z.string().nullable(),
      message: z.string().nullable(),
    }),
  ),
})

export function tokenRoutes({ installations, care, installUrl }: TokenDeps): FastifyPluginCallbackZod {
  return (app, _options, done) => {
    app.get(
      '/api/ghl/tokens',
      {
        schema: {
          querystring: Query,
          response: {
            200: z.object({
              counts: Counts,
              installations: z.array(InstallationBody),
              total: tally,
              nextCursor: z.string().nullable(),
            }),
          },
        },
      },
      async ({ query: { health, userType, search, limit, cursor } }) => {
        const [counts, page] = await Promise.all([
          installations.countByHealth(),
          installations.page({
            limit,
            ...(health !== undefined && { health }),
            ...(userType !== undefined && { userType }),
            ...(search !== undefined && { search }),
            ...(cursor !== undefined && { cursor }),
          }),
        ])
        return {
          counts: { ...counts },
          installations: page.rows.map((row) => bodyOf(row, installUrl)),
          total: page.total,
          nextCursor: page.nextCursor ?? null,
        }
      },
    )

    app.post(
      '/api/ghl/tokens/refresh',
      {
        schema: {
          body: z.strictObject({ force: z.boolean().optional(), dryRun: z.boolean().optional() }).nullish(),
          response: { 200: ReportBody, 202: z.object({ running: z.literal(true) }) },
        },
      },
      async (request, reply) => {
        const work = care.refresh(request.body ?? {}, 'by_hand')
        const slow = sleep(LONGEST_ANSWER_MS, 'slow' as const, { ref: false })
        const report = await Promise.race([work, slow])
        if (report === 'slow') {
          // It goes on, and its report says how it ended.
          work.catch(() => undefined)
          return await reply.code(202).send({ running: true })
        }
        if (report !== undefined) return { ...report, results: [...report.results] }
        throw new RequestError('ALREADY_RUNNING', 'A refresh by hand is under way', {
          action: 'Look at GET /api/sync/status.',
        })
      },
    )

    app.post(
      '/api/ghl/tokens/:installationId/refresh',
      { schema: { params: z.object({ installationId: Id }), response: { 200: InstallationBody } } },
      async (request) => {
        const { installationId } = request.params
        const row = await installations.find(installationId)
        if (row === undefined || row.status === 'uninstalled')
          throw new RequestError('INSTALLATION_UNKNOWN', 'There is no such installation', {
            action: 'GET /api/ghl/tokens lists them.',
          })
        request.deed = deedOn(row)
        await care.refreshOne(row)
        return await installationBody(installations, row, installUrl)
      },
    )
    done()
  }
}

/** What the audit is told of a deed on an installation. */
export const deedOn = ({ installationId, locationId }: InstallationRow) => ({
  target: installationId,
  ...(locationId !== undefined && { locationId }),
})

/** @param row of which the store says what it is like by now. */
export async function installationBody(
  installations: Pick<InstallationStore, 'page'>,
  row: InstallationRow,
  installUrl: string,
): Promise<z.output<typeof InstallationBody>> {
  const { rows } = await installations.page({
    limit: 500,
    userType: row.userType,
    ...(row.locationId === undefined ? {} : { locationId: row.locationId }),
    ...(row.companyId === undefined ? {} : { companyId: row.companyId }),
  })
  const now = rows.find((each) => each.installationId === row.installationId)
  return bodyOf(now ?? { ...row, health: 'healthy' }, installUrl)
}

function bodyOf(row: InstallationRow & { readonly health: TokenHealth }, installUrl: string) {
  const hasToken = row.status !== 'pending' && row.status !== 'uninstalled'
  const problem = problemOf(row)
  return {
    installationId: row.installationId,
    locationId: row.locationId ?? null,
    companyId: row.companyId ?? null,
    name: row.locationName ?? row.companyName ?? null,
    userType: row.userType,
    status: row.status,
    health: row.health,
    scopes: row.scopes.split(' ').filter((scope) => scope !== ''),
    isBulk: row.isBulk,
    versionId: row.versionId ?? null,
    expiresAt: hasToken ? row.tokenExpiresAt.toISOString() : null,
    refreshedAt: row.refreshedAt?.toISOString() ?? null,
    checkedAt: row.checkedAt?.toISOString() ?? null,
    installedAt: row.installedAt.toISOString(),
    problem: problem && { action: null, ...problem },
    deactivated: row.status === 'deactivated',
    reconnectUrl: row.status === 'active' || row.status === 'deactivated' ? null : installUrl,
  }
}
