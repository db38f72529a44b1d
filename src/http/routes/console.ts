/** The operator's console: the page, the way in, what is set up, and a stream of hints. The rest it has from the other routes. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { AuditStore } from '../../bridge/audit.ts'
import type { InstallationStore, WebhookEventStore } from '../../bridge/installations.ts'
import type { SessionDesk } from '../../bridge/ports.ts'
import { RequestError, toBridgeError } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import { type CallerDeps, streamEnd } from '../auth.ts'
import { streamHints } from '../console-events.ts'
import { createKeyGuesses } from '../key-guesses.ts'
import { type BuiltPages, sendPage } from '../pages/built-pages.ts'
import { NUMBERS_STATES, TOKEN_HEALTHS } from '../schemas.ts'

/** How the server is set up, as far as an operator may read it on a page: no secret, only whether it is there. */
export interface Setup {
  readonly publicUrl: string
  readonly redirectUri: string
  readonly store: 'embedded' | 'postgres' | 'supabase'
  readonly providerType: 'custom' | 'sms'
}

export interface ConsoleDoorDeps {
  readonly pages: BuiltPages
  readonly callers: Pick<CallerDeps, 'consoleTokens'>
  readonly siblings?: { readonly audit: Pick<AuditStore, 'record'> }
  readonly log: Log
}

const count = z.number().int()
const PATH = '/api/console/session'

/** Open: the page, and the key against a token. */
export function consoleDoorRoutes(deps: ConsoleDoorDeps): FastifyPluginCallbackZod {
  const guesses = createKeyGuesses()

  /** Whoever came in is the operator; a wrong key is nobody's, so the table cannot be filled from outside. */
  const noteEntry = async (): Promise<void> => {
    const deed = { callerId: undefined, locationId: undefined, target: undefined, outcome: '201' }
    await deps.siblings?.audit
      .record({ ...deed, callerKind: 'operator', action: `POST ${PATH}` })
      .catch((thrown: unknown) => {
        deps.log.error({ errorCode: toBridgeError(thrown).code }, 'could not write the audit')
      })
  }

  return (app, _options, done) => {
    app.get(
      '/console',
      { schema: { hide: true } },
      async (_request, reply) => await sendPage(reply, deps.pages.html('console')),
    )

    app.post(
      PATH,
      {
        schema: {
          body: z.strictObject({ apiKey: z.string().max(1_000) }),
          response: {
            201: z.object({
              token: z.string(),
              expiresAt: z.string(),
              expiresInMs: z.number().int().describe('From the receipt, for callers whose clock is wrong'),
            }),
          },
        },
      },
      async (request, reply) => {
        guesses.check(request.ip)
        const issued = deps.callers.consoleTokens.issue(request.body.apiKey)
        if (issued === undefined) {
          guesses.wrong(request.ip)
          deps.log.warn({}, 'the console was asked for with a wrong key')
          throw new RequestError('CONSOLE_KEY_WRONG', 'This is not the operator’s key', {
            action: 'It is the value of API_KEY on the server.',
          })
        }
        guesses.right(request.ip)
        await noteEntry()
        void reply.code(201).header('cache-control', 'no-store')
        const { token, expiresAt } = issued
        const expiresInMs = Math.max(0, expiresAt.getTime() - Date.now())
        return await reply.send({ token, expiresAt: expiresAt.toISOString(), expiresInMs })
      },
    )
    done()
  }
}

export interface ConsoleDeps {
  readonly desk: Pick<SessionDesk, 'watchAll'>
  readonly setup: Setup
  readonly webhookEvents: Pick<WebhookEventStore, 'list'>
  readonly installations: Pick<InstallationStore, 'countLocations'>
}

/** Register behind the guard: the operator's alone. */
export function consoleRoutes({
  desk,
  setup,
  webhookEvents,
  installations,
}: ConsoleDeps): FastifyPluginCallbackZod {
  return (app, _options, done) => {
    app.get(
      '/api/console/setup',
      {
        schema: {
          response: {
            200: z.object({
              publicUrl: z.string(),
              redirectUri: z.string(),
              /** Where GHL sends app events. */
              eventsUrl: z.string(),
              /** The delivery URL of the conversation provider. */
              deliveryUrl: z.string(),
              /** For the custom page inside GHL. */
              pageUrl: z.string(),
              store: z.enum(['embedded', 'postgres', 'supabase']),
              providerType: z.enum(['custom', 'sms']),
              /** When GHL's last signed event came; null before the first. */
              lastEventAt: z.string().nullable(),
            }),
          },
        },
      },
      async () => {
        const [last] = await webhookEvents.list({ limit: 1 })
        const { publicUrl, redirectUri, store, providerType } = setup
        return {
          publicUrl,
          redirectUri,
          store,
          providerType,
          eventsUrl: `${publicUrl}/ghl/webhook`,
          deliveryUrl: `${publicUrl}/ghl/provider/webhook`,
          pageUrl: `${publicUrl}/app?location={{location.id}}`,
          lastEventAt: last?.receivedAt.toISOString() ?? null,
        }
      },
    )

    app.get(
      '/api/console/counts',
      {
        schema: {
          response: {
            200: z.object({
              tokens: z.record(z.enum(TOKEN_HEALTHS), count),
              numbers: z.record(z.enum(NUMBERS_STATES), count),
              letters: z.record(z.enum(['failed', 'held', 'queued', 'sending']), count),
            }),
          },
        },
      },
      async () => {
        const { tokens, numbers, letters } = await installations.countLocations()
        return { tokens: { ...tokens }, numbers: { ...numbers }, letters: { ...letters } }
      },
    )

    app.get('/api/console/events', { sse: 'only' }, (request, reply) => {
      streamHints(desk, reply, streamEnd(request))
    })
    done()
  }
}
