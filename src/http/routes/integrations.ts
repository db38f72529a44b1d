/** The connection with GHL as a whole: install link, state, end-to-end check. Register behind the guard. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { InstallationStore } from '../../bridge/installations.ts'
import {
  type CheckStep,
  checkIntegration,
  type IntegrationCheckDeps,
} from '../../bridge/integration-check.ts'
import { parseLocationId } from '../../core/ids.ts'
import { Id, TOKEN_HEALTHS } from '../schemas.ts'
import { beginInstall, type OauthDeps } from './oauth.ts'

export interface IntegrationDeps extends OauthDeps {
  readonly installations: InstallationStore
  readonly check: Omit<IntegrationCheckDeps, 'installations'>
}

const StepBody = z.object({
  name: z.string(),
  state: z.enum(['ok', 'bad', 'wait']),
  ok: z.boolean(),
  ms: z.number(),
  at: z.string().nullable().describe('When GHL was last seen to accept or refuse it'),
  code: z.string().nullable(),
  message: z.string().nullable(),
  action: z.string().nullable(),
}) satisfies z.ZodType<Omit<CheckStep, 'name' | 'at'> & { name: string; at: string | null }>

const stepBody = ({ at, ...step }: CheckStep) => ({ ...step, at: at?.toISOString() ?? null })

export function integrationRoutes(deps: IntegrationDeps): FastifyPluginCallbackZod {
  const { installations, check } = deps
  const prefix = '/api/integrations/ghl'

  return (app, _options, done) => {
    app.get(
      `${prefix}/auth-url`,
      { schema: { response: { 200: z.object({ url: z.string(), expiresAt: z.string() }) } } },
      async () => {
        const { url, expiresAt } = await beginInstall(deps)
        return { url, expiresAt: expiresAt.toISOString() }
      },
    )

    app.get(
      `${prefix}/status`,
      {
        schema: {
          response: {
            200: z.object({
              configured: z.boolean(),
              missing: z.array(z.string()),
              hasAccessToken: z.boolean().describe('some installation has one that works by its date'),
              hasRefreshToken: z
                .boolean()
                .describe(
                  'some installation can renew its own; those of an agency’s locations are minted instead',
                ),
              valid: z.boolean(),
              /** `ok`: every installation works; `degraded`: some do; `not_connected`: none does. */
              authStatus: z.enum(['ok', 'degraded', 'not_connected']),
              autoRefresh: z.boolean(),
              installations: z.record(z.enum(TOKEN_HEALTHS), z.number()),
              latencyMs: z.object({ store: z.number(), ghl: z.number().nullable() }),
            }),
          },
        },
      },
      async () => {
        const [counts, tokens] = await Promise.all([
          installations.countByHealth(),
          installations.countTokens(),
        ])
        const [storeMs, ghlMs] = await Promise.all([measured(check.ping), measured(check.probe.reach)])
        const valid = counts.healthy + counts.expiring
        const broken = counts.expired + counts.needs_reconnect + counts.pending
        return {
          configured: check.missing.length === 0,
          missing: [...check.missing],
          hasAccessToken: tokens.access > 0,
          hasRefreshToken: tokens.refresh > 0,
          valid: valid > 0,
          authStatus: authStatusOf(valid, broken),
          autoRefresh: true,
          installations: { ...counts },
          latencyMs: { store: storeMs ?? 0, ghl: ghlMs ?? null },
        }
      },
    )

    app.get(
      `${prefix}/test-integration`,
      {
        schema: {
          querystring: z.object({ locationId: Id.optional() }),
          response: {
            200: z.object({
              ok: z.boolean(),
              locationId: z.string().nullable(),
              totalMs: z.number(),
              steps: z.array(StepBody),
            }),
          },
        },
      },
      async ({ query: { locationId } }) => {
        const asked = locationId === undefined ? undefined : parseLocationId(locationId)
        const { locationId: found, steps } = await checkIntegration({ installations, ...check }, asked)
        const totalMs = Math.round(steps.reduce((sum, step) => sum + step.ms, 0) * 10) / 10
        return { ok: steps.every((step) => step.ok), locationId: found, totalMs, steps: steps.map(stepBody) }
      },
    )
    done()
  }
}

function authStatusOf(valid: number, broken: number): 'ok' | 'degraded' | 'not_connected' {
  if (valid === 0) return 'not_connected'
  return broken === 0 ? 'ok' : 'degraded'
}

/** Milliseconds; undefined when it failed. */
async function measured(act: () => Promise<void>): Promise<number | undefined> {
  const beganAtMs = performance.now()
  try {
    await act()
    return Math.round((performance.now() - beganAtMs) * 10) / 10
  } catch {
    return undefined
  }
}
