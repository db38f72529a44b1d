/**
 * The environment: every variable with its type, unit, default and doc line. Nothing else reads the environment.
 * `docs/configuration.md` and `.env.example` are generated from {@link VARIABLES} (npm run docs).
 */
import { isIP } from 'node:net'
import { z } from 'zod'
import { ConfigError } from './core/errors.ts'

/** Published Ed25519 key of GHL's webhooks. @see ghl.md 7, PORTAL webhook guide 2026-08-30. */
const GHL_PUBLISHED_KEY = 'MCowBQYDK2VwAyEAi2HR1srL4o18O8BRa7gVJY7G7bupbN3H9AwJrHCDiOg='
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])

const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
)

const whole = (min: number, max: number, expected: string) =>
  z
    .string()
    .regex(/^\d+$/, { error: expected })
    .transform(Number)
    .refine((value) => value >= min && value <= max, { error: expected })

/** Base URL without a trailing slash; the plain scheme only towards loopback, so that nothing secret crosses a network open. */
function base(secure: 'https:' | 'wss:', plain: 'http:' | 'ws:') {
  const expected = `a ${secure}// URL (${plain}// only for localhost)`
  return z
    .string()
    .refine(
      (text) => {
        const url = URL.parse(text)
        return url?.protocol === secure || (url?.protocol === plain && LOOPBACK.has(url.hostname))
      },
      { error: expected },
    )
    .transform((text) => text.replace(/\/+$/, ''))
}

const encryptionKey = z
  .string()
  .refine((text) => Buffer.from(text, 'base64').length === 32 && /^[A-Za-z0-9+/]{43}=$/.test(text), {
    error: 'base64 of exactly 32 bytes (make one with: openssl rand -base64 32), several separated by commas',
  })

/** proxy-addr's words for ranges, or an address with or without a prefix that is no half of the internet. */
const PROXY_RANGES = new Set(['loopback', 'linklocal', 'uniquelocal'])
const SHORTEST_PREFIX = 8
const proxies = z.string().refine(
  (text) => {
    if (PROXY_RANGES.has(text)) return true
    const [address = '', prefix, ...more] = text.split('/')
    const bits = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0
    const length = prefix === undefined ? bits : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1
    return bits > 0 && more.length === 0 && length >= SHORTEST_PREFIX && length <= bits
  },
  { error: 'addresses, ranges such as 10.0.0.0/8, or loopback, linklocal, uniquelocal, separated by commas' },
)

interface Variable {
  readonly doc: string
  readonly schema: z.ZodType
  readonly fallback?: string
  readonly group: string
  /** Shown in the docs instead of a fallback that is computed. */
  readonly fallbackDoc?: string
  readonly secret?: boolean
}

const variables = {
  PORT: {
    group: 'Server',
    doc: 'TCP port to listen on.',
    schema: whole(0, 65_535, 'a port number'),
    fallback: '8080',
  },
  HOST: { group: 'Server', doc: 'Address to listen on.', schema: z.string().min(1), fallback: '127.0.0.1' },
  PUBLIC_URL: {
    group: 'Server',
    doc: 'The address under which GHL and browsers reach this server.',
    schema: base('https:', 'http:'),
    fallbackDoc: 'http://localhost:PORT',
  },
  LOG_LEVEL: {
    group: 'Server',
    doc: 'How much to log.',
    schema: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
      error: 'one of trace, debug, info, warn, error, fatal, silent',
    }),
    fallback: 'info',
  },
  TRUSTED_PROXIES: {
    group: 'Server',
    doc: 'Proxies whose X-Forwarded-For is believed, for limits per address: addresses, ranges, or `loopback`, `linklocal`, `uniquelocal` (private networks); comma separated. Only where callers cannot reach the server but through them.',
    schema: list.pipe(z.array(proxies)),
    fallback: '',
    fallbackDoc: 'none: the address of the connection counts',
  },
  BODY_LIMIT_BYTES: {
    group: 'Server',
    doc: 'Largest request body, in bytes.',
    schema: whole(1_024, 100 * 1024 * 1024, 'a number of bytes, 1024 to 104857600'),
    fallback: String(5 * 1024 * 1024),
  },
  DATA_DIR: {
    group: 'Store',
    doc: 'Folder of the embedded store. Put it on a disk that survives a deploy.',
    schema: z.string().min(1),
    fallback: './sessions-data',
  },
  DATABASE_URL: {
    group: 'Store',
    doc: 'Postgres connection string, direct or session mode. Takes precedence over SUPABASE_URL.',
    schema: z.string().regex(/^postgres(ql)?:\/\//, { error: 'a postgres:// or postgresql:// URL' }),
    secret: true,
  },
  SUPABASE_URL: {
    group: 'Store',
    doc: 'Supabase project URL; needs SUPABASE_SERVICE_ROLE_KEY. With neither this nor DATABASE_URL the embedded store is used.',
    schema: base('https:', 'http:'),
  },
  SUPABASE_SERVICE_ROLE_KEY: {
    group: 'Store',
    doc: 'Supabase service role or secret key.',
    schema: z.string().min(1),
    secret: true,
  },
  ENCRYPTION_KEY: {
    group: 'Secrets',
    doc: 'Seals tokens and Signal keys at rest: base64 of 32 bytes. Several, comma separated, while rotating: the first seals, all open.',
    schema: list.pipe(z.array(encryptionKey).min(1)),
    fallbackDoc: 'embedded store only: made on first start and kept beside the data folder',
    secret: true,
  },
  API_KEY: {
    group: 'Secrets',
    doc: 'The operator’s bearer key, 16 characters or more.',
    schema: z.string().min(16, { error: 'at least 16 characters' }),
    fallbackDoc: 'embedded store only: made on first start, printed once',
    secret: true,
  },
  GHL_CLIENT_ID: {
    group: 'GoHighLevel',
    doc: 'Client id of the marketplace app.',
    schema: z.string().min(1),
  },
  GHL_CLIENT_SECRET: {
    group: 'GoHighLevel',
    doc: 'Client secret of the marketplace app.',
    schema: z.string().min(1),
    secret: true,
  },
  GHL_REDIRECT_URI: {
    group: 'GoHighLevel',
    doc: 'Redirect URI as registered in the portal (which refuses URIs that contain "ghl").',
    schema: base('https:', 'http:'),
    fallbackDoc: 'PUBLIC_URL/oauth/callback',
  },
  GHL_APP_VERSION_ID: {
    group: 'GoHighLevel',
    doc: 'Version id of a private or draft app, sent with the install link.',
    schema: z.string().min(1),
  },
  GHL_SHARED_SECRET: {
    group: 'GoHighLevel',
    doc: 'Shared secret of the app, for pages opened inside GHL.',
    schema: z.string().min(1),
    secret: true,
  },
  GHL_PROVIDER_ID: {
    group: 'GoHighLevel',
    doc: 'Id of the conversation provider (24 hex digits in the portal).',
    schema: z.string().min(1),
  },
  GHL_PROVIDER_TYPE: {
    group: 'GoHighLevel',
    doc: '`custom` for a provider with the box "custom conversation provider" ticked, `sms` for one without.',
    schema: z.enum(['custom', 'sms'], { error: 'custom or sms' }),
    fallback: 'custom',
  },
  GHL_API_URL: {
    group: 'GoHighLevel',
    doc: 'Base URL of GHL’s API.',
    schema: base('https:', 'http:'),
    fallback: 'https://services.leadconnectorhq.com',
  },
  GHL_MARKETPLACE_URL: {
    group: 'GoHighLevel',
    doc: 'Base URL of the page where an app is installed.',
    schema: base('https:', 'http:'),
    fallback: 'https://marketplace.gohighlevel.com',
  },
  GHL_WEBHOOK_PUBLIC_KEY: {
    group: 'GoHighLevel',
    doc: 'Ed25519 public keys (SPKI, base64) that sign GHL’s webhooks, comma separated.',
    schema: list.pipe(z.array(z.string()).min(1)),
    fallback: GHL_PUBLISHED_KEY,
  },
  GHL_FRAME_ANCESTORS: {
    group: 'GoHighLevel',
    doc: 'Origins that may show our pages in a frame, besides GHL’s own; white-label domains go here.',
    schema: list,
    fallback: '',
  },
  GHL_TIMEOUT_MS: {
    group: 'GoHighLevel',
    doc: 'Longest wait for an answer of GHL, in milliseconds.',
    schema: whole(100, 300_000, 'milliseconds, 100 to 300000'),
    fallback: '30000',
  },
  ATTACHMENT_ALLOWED_HOSTS: {
    group: 'GoHighLevel',
    doc: 'host[:port] list exempt from the rule that attachments come from public https addresses only.',
    schema: list,
    fallback: '',
  },
  PACE_WARM_PER_SECOND: {
    group: 'WhatsApp',
    doc: 'Messages per second and number into chats that exist.',
    schema: whole(1, 100, 'a number, 1 to 100'),
    fallback: '10',
  },
  PACE_COLD_PER_MINUTE: {
    group: 'WhatsApp',
    doc: 'First contacts per minute and number.',
    schema: whole(1, 600, 'a number, 1 to 600'),
    fallback: '6',
  },
  PACE_COLD_PER_DAY: {
    group: 'WhatsApp',
    doc: 'First contacts per day and number.',
    schema: whole(1, 10_000, 'a number, 1 to 10000'),
    fallback: '50',
  },
  WHATSAPP_WEB_SOCKET_URL: {
    group: 'WhatsApp',
    doc: 'WhatsApp’s web socket.',
    schema: base('wss:', 'ws:'),
    fallbackDoc: 'WhatsApp’s own',
  },
  WHATSAPP_VERSION: {
    group: 'WhatsApp',
    doc: 'Client version to announce, as 2.3000.N; set it when WhatsApp refuses the built-in one (problem OUTDATED).',
    schema: z
      .string()
      .regex(/^2\.3000\.\d+$/, { error: 'a version like 2.3000.1043857760' })
      .transform((text) => text.split('.').map(Number) as [number, number, number]), // three parts by the pattern
    fallbackDoc: 'the one built in',
  },
} as const satisfies Record<string, Variable>

/** For the generated docs. */
export const VARIABLES: Readonly<Record<string, Variable>> = variables

type Name = keyof typeof variables
type Value<N extends Name> = z.output<(typeof variables)[N]['schema']>
type HasFallback<N extends Name> = (typeof variables)[N] extends { fallback: string } ? true : false

type Values = { [N in Name as HasFallback<N> extends true ? N : never]: Value<N> } & {
  [N in Name as HasFallback<N> extends true ? never : N]: Value<N> | undefined
}

/** What the program knows of its surroundings. Frozen; secrets stand only here. */
export type Config = Readonly<Omit<Values, 'PUBLIC_URL' | 'GHL_REDIRECT_URI'>> & {
  readonly PUBLIC_URL: string
  readonly GHL_REDIRECT_URI: string
}

/**
 * @throws {ConfigError} `CONFIG_INVALID` or `CONFIG_MISSING`, naming the variable and what is expected; never its value.
 */
export function parseConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const entries = Object.entries(variables).map(([name, variable]) => [
    name,
    parseOne(name, variable, env[name]),
  ])
  const values = Object.fromEntries(entries) as Values // by construction: one entry per variable, each parsed by its schema
  requireTogether(values)
  const publicUrl = values.PUBLIC_URL ?? `http://localhost:${values.PORT}`
  return Object.freeze({
    ...values,
    PUBLIC_URL: publicUrl,
    GHL_REDIRECT_URI: values.GHL_REDIRECT_URI ?? `${publicUrl}/oauth/callback`,
  })
}

function parseOne(name: string, variable: Variable, raw: string | undefined): unknown {
  const text = raw === undefined || raw === '' ? variable.fallback : raw
  if (text === undefined) return undefined
  const parsed = variable.schema.safeParse(text)
  if (parsed.success) return parsed.data
  const expected = parsed.error.issues[0]?.message ?? 'another value'
  throw new ConfigError('CONFIG_INVALID', `${name} is wrong: expected ${expected}`, {
    details: { variable: name },
  })
}

function requireTogether(values: Values): void {
  const needs = (name: Name, because: string) => {
    if (values[name] === undefined) {
      throw new ConfigError('CONFIG_MISSING', `${name} is missing: ${because}`, {
        details: { variable: name },
      })
    }
  }
  const isEmbedded = values.DATABASE_URL === undefined && values.SUPABASE_URL === undefined
  if (values.SUPABASE_URL !== undefined && values.DATABASE_URL === undefined) {
    needs('SUPABASE_SERVICE_ROLE_KEY', 'SUPABASE_URL is set and needs it')
  }
  if (!isEmbedded) {
    needs('ENCRYPTION_KEY', 'a shared database needs a key that every node has (openssl rand -base64 32)')
    needs('API_KEY', 'a shared database needs an operator key that every node has')
  }
  if (values.GHL_CLIENT_ID !== undefined) {
    needs('GHL_CLIENT_SECRET', 'GHL_CLIENT_ID is set and needs it')
    needs(
      'GHL_PROVIDER_ID',
      'GHL_CLIENT_ID is set, and without a conversation provider no message can be added',
    )
  }
}
