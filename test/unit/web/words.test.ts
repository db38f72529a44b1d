/** The catalogues against each other and against what the pages and the server really say. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ERROR_CODES } from '../../../src/core/errors.ts'
import { Failure } from '../../../src/web/api/failure.ts'
import { failureWords, problemWords } from '../../../src/web/parts/problem-words.ts'
import { loadWords, preferredLanguage } from '../../../src/web/words/words.ts'
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

/** True when the pages can say this word: by its name, or by a name made of a code or a part. */
function isSaid(key: string): boolean {
  const stem = key.replace(/\.(one|other|many|few)$/, '')
  if (sources.includes(`'${stem}'`)) return true
  return [...sources.matchAll(/`([\w.]+\.)\$\{[^}]+\}([\w.]*)`/g)].some(
    ([, begin = '', end = '']) => stem.startsWith(begin) && stem.endsWith(end),
  )
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
    const replies = ['INTERNAL', 'UNREACHABLE', 'network']
    const held = ['HELD_TOO_OLD', 'HELD_BEFORE_INSTALL', 'HELD_BEFORE_PAIRING', 'DISCARDED']
    const seen = [...ERROR_CODES, ...held, ...replies].filter((code) => !unseen.includes(code))
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
