/** The catalogues against each other and against what the pages and the server really say. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { SERVICE_SCOPES } from '../../../src/bridge/service-keys.ts'
import { SYNC_STATES } from '../../../src/bridge/syncs.ts'
import { agencyChores, tokenChores } from '../../../src/chores.ts'
import { ERROR_CODES } from '../../../src/core/errors.ts'
import { MESSAGE_STATES, SESSION_STATUSES } from '../../../src/core/message.ts'
import { NUMBERS_STATES, TOKEN_HEALTHS } from '../../../src/http/schemas.ts'
import { Failure } from '../../../src/web/api/failure.ts'
import { PLACES } from '../../../src/web/console/routes.ts'
import { failureWords, problemWords } from '../../../src/web/parts/problem-words.ts'
import { loadWords, preferredLanguage } from '../../../src/web/words/words.ts'
import * as disconnect from '../../../src/whatsapp/disconnect.ts'
import { reachOutNotice } from '../../../src/whatsapp/reach-out.ts'

const WEB = new URL('../../../src/web/', import.meta.url)
const catalogue = (language: string): Record<string, string> =>
  JSON.parse(readFileSync(new URL(`words/${language}.json`, WEB), 'utf8')) as Record<string, string> // our own file
const english = catalogue('en')
const valuesIn = (text = ''): string[] => (text.match(/\{\w+\}/g) ?? []).sort()
const starsIn = (text = ''): number => text.split('*').length

const sources = readdirSync(WEB, { recursive: true, encoding: 'utf8' })
  .filter((name) => /^(?!dist).*\.tsx?$/.test(name))
  .map((name) => readFileSync(new URL(name, WEB), 'utf8'))
  .join('\n')

const HELD = ['HELD_TOO_OLD', 'HELD_BEFORE_INSTALL', 'HELD_BEFORE_PAIRING', 'DISCARDED']
const REPLIES = ['INTERNAL', 'UNREACHABLE', 'network']
const numberProblems = [
  ...[...disconnect.DISCONNECT_RULES.values()].flatMap(({ problem }) => problem ?? []),
  ...Object.values(disconnect).flatMap((value) =>
    typeof value === 'object' && 'action' in value ? [value] : [],
  ),
  disconnect.wrongNumber('+15550009999'),
  disconnect.alreadyHere('+15550009999', 'Reception'),
  reachOutNotice(new Date()),
].map(({ code }) => code)

const idle = () => Promise.resolve()
const CHORES = [...tokenChores({ refresh: idle, check: idle }), ...agencyChores({ daily: idle })]
/** A run that somebody asked for. */
const BY_HAND = 'by_hand'

/** What a code or a part of a name may be, where the pages make a name of it: by what stands before it. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  // The one in between: a location whose installation has no token yet.
  'problem.': [...ERROR_CODES, 'GHL_NOT_CONNECTED', ...HELD, ...numberProblems],
  'failure.': [...ERROR_CODES, ...REPLIES],
  'status.': SESSION_STATUSES,
  'in.': MESSAGE_STATES,
  'out.': MESSAGE_STATES,
  'letters.': ['failed', 'held', 'queued', 'sending'],
  'mail.': ['needed', 'waiting', 'latest'],
  'settings.': ['groups', 'label', 'markRead', 'holdAfterMinutes', 'historyDays'],
  'number.': ['logOut', 'remove'],
  'pair.hint.': ['devices', 'passkey', 'clock', 'failed'],
  'charts.': ['toGhl', 'toWhatsApp', 'toPhone'],
  'console.place.': PLACES,
  'token.': TOKEN_HEALTHS,
  'wall.': NUMBERS_STATES,
  'scope.': SERVICE_SCOPES,
  'sync.': [...CHORES.map(({ kind }) => kind), 'installations', 'call-logs'],
  'sync.of.': [...CHORES.map(({ scope }) => scope), BY_HAND],
  'sync.is.': SYNC_STATES,
  'event.': ['received', 'processed', 'ignored', 'failed'],
  'ignored.': [
    ...['not_needed', 'agency_install', 'removed_since', 'installed_since'],
    ...['deactivated', 'names_nothing'],
  ],
  'result.': ['done', 'aborted', 'refused', 'unknown', 'conflict', 'often', 'wrong', 'failed'],
  // Compared with the routes in audit-words.test.ts.
  'deed.': Object.keys(english).flatMap((key) => (key.startsWith('deed.') ? [key.slice(5)] : [])),
  'check.is.': ['ok', 'bad', 'wait', 'look'],
  'check.store.': ['embedded', 'postgres', 'supabase'],
  'check.': [
    ...['credentials', 'ghl_reach', 'token', 'location_read', 'provider'],
    ...['webhook_key', 'events', 'delivery', 'sso'],
  ],
}
const made = [...sources.matchAll(/`([a-zA-Z.]+\.)\$\{[^}]+\}([\w.]*)`/g)].map(
  ([, begin = '', end = '']) => ({ begin, end }),
)
const said = new Set(
  made.flatMap(({ begin, end }) => (PARTS[begin] ?? []).map((part) => `${begin}${part}${end}`)),
)

/** True when the pages can say this word: by its name, or by a name made of a code or a part. */
function isSaid(key: string): boolean {
  const stem = key.replace(/\.(one|other|many|few)$/, '')
  return sources.includes(`'${stem}'`) || said.has(stem)
}

describe('the words of the pages', () => {
  it.each(['es', 'pt-BR'])('are all there in %s, with the same values and emphasis', (language) => {
    const other = catalogue(language)
    expect(Object.keys(other).sort()).toEqual(Object.keys(english).sort())
    for (const [key, text] of Object.entries(english)) {
      expect([key, valuesIn(other[key]), starsIn(other[key])]).toEqual([key, valuesIn(text), starsIn(text)])
      expect(other[key]?.trim(), key).not.toBe('')
    }
  })

  it('are all said somewhere', () => {
    expect(Object.keys(english).filter((key) => !isSaid(key))).toEqual([])
    expect(made.filter(({ begin }) => !(begin in PARTS))).toEqual([])
  })

  it('name every kind of long work that is not one location’s, and what each run is for', () => {
    const wanted = CHORES.flatMap(({ kind, scope }) => [`sync.${kind}`, `sync.of.${scope}`])
    expect([...wanted, `sync.of.${BY_HAND}`].filter((key) => !(key in english))).toEqual([])
  })

  it('have a sentence and a cure for what a number cannot do for a while', () => {
    const { code } = reachOutNotice(new Date())
    expect(english).toHaveProperty([`problem.${code}`])
    expect(english).toHaveProperty([`problem.${code}.do`])
  })

  it('have a sentence for every error that a page can meet, and a cure where the message itself shows it', () => {
    /** They stop the program, or answer a machine. */
    const unseen = [
      ...['CONFIG_INVALID', 'PORT_IN_USE', 'STORE_LOCKED', 'STORE_SCHEMA'],
      ...['WEBHOOK_SIGNATURE_INVALID', 'WEBHOOK_MALFORMED', 'OAUTH_STATE_INVALID', 'PATH_NOT_ALLOWED'],
      // Nobody is there to see it.
      'CALLER_GONE',
    ]
    const ofMessages = /^(WA|GHL|MEDIA|STORE|BUG|HELD)_|^DISCARDED$/
    const seen = [...ERROR_CODES, ...HELD, ...REPLIES].filter((code) => !unseen.includes(code))
    expect(seen.length).toBeGreaterThan(50)
    const wanted = seen.flatMap((code) =>
      ofMessages.test(code) ? [`problem.${code}`, `problem.${code}.do`] : [`failure.${code}`],
    )
    expect(wanted.filter((key) => !(key in english))).toEqual([])
  })

  it('say a refusal in the reader’s language, with the server’s reason where it matters', async () => {
    const { find } = await loadWords('es')
    const refusal = (code: string) =>
      new Failure(400, { code, message: 'body/x: is wrong', action: 'English.' })
    expect(failureWords(refusal('REQUEST_INVALID'), find)).toBe('No se aceptó: body/x: is wrong')
    expect(failureWords(refusal('STORE_UNAVAILABLE'), find)).toMatch(
      /^No se pudo llegar a la base de datos\. No hay/,
    )
    expect(failureWords(refusal('NOT_YET_INVENTED'), find)).toBe('body/x: is wrong. English.')
    expect(problemWords({ code: 'GHL_REJECTED', message: 'No phone', action: null }, find).action).toContain(
      '“No phone”',
    )
  })

  it('address a Spanish reader as usted, whatever the page', () => {
    const familiar = [
      /(?<!\p{L})(tú|tus?|te|ti|tuy[oa]s?|contigo|est[áé]s|eres|puedes|tienes|quieres|debes|actives)(?!\p{L})/iu,
      /(?<!\p{L})(?!\p{L}*siste|existe)\p{L}+[ai]ste(?!\p{L})/iu,
      // A request at the beginning of a clause; in the middle of one it is somebody else who does it.
      /(?:^|[.:;,] | y )(haz|pon|di|ten|ve|mira|usa|abre|elige|copia|revisa|ajusta|instala|escribe|env[ií]a|pulsa|muestra)(?!\p{L})/iu,
      /(?<!\p{L})(?:haz|pon|da|l[eé]e|c[oó]pia|env[ií]a|inst[aá]la|mant[eé]n)l[oae]s?(?!\p{L})/iu,
    ]
    const wrong = Object.entries(catalogue('es')).filter(([, text]) =>
      familiar.some((form) => form.test(text)),
    )
    expect(wrong).toEqual([])
  })

  it('fill in values, count as the language counts, and know what they do not know', async () => {
    const words = await loadWords('en')
    expect(words.say('pair.expected', { phone: '+1 555' })).toBe(
      'This is for *+1 555*. Any other number is refused.',
    )
    expect(words.find('problem.NOT_YET_INVENTED')).toBeUndefined()
  })

  it('are in the first of the reader’s languages that we speak', () => {
    expect(preferredLanguage(['fr-FR', 'pt-PT', 'en'])).toBe('pt-BR')
    expect(preferredLanguage(['es-419'])).toBe('es')
    expect(preferredLanguage(['ja'])).toBe('en')
  })
})
