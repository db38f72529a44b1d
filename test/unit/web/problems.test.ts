/** Every problem that the server can give a number, as its owner reads it: in words, in a colour, with a button or without. */
import { describe, expect, it } from 'vitest'
import { StoreError } from '../../../src/core/errors.ts'
import type { SessionProblem } from '../../../src/core/message.ts'
import { cureOf, sessionProblemWords, toneOf } from '../../../src/web/parts/problem-words.ts'
import { LANGUAGES, type Language, loadWords } from '../../../src/web/words/words.ts'
import * as disconnect from '../../../src/whatsapp/disconnect.ts'

const UNTIL = new Date('2026-11-21T14:05:00Z')
const SCANNED = '+15550009999'
const clock = (iso: string): string => iso.slice(11, 16)

/** As the table and the pairing give them, once each. */
const GIVEN = new Map(
  [
    ...[...disconnect.DISCONNECT_RULES.values()].flatMap(({ problem }) => problem ?? []),
    ...Object.values(disconnect).flatMap((value) =>
      typeof value === 'object' && 'action' in value ? [value] : [],
    ),
    disconnect.wrongNumber(SCANNED),
    disconnect.alreadyHere(SCANNED, undefined),
    disconnect.problemOf(new StoreError('STORE_UNAVAILABLE', 'The store does not answer')),
  ].map((problem) => [problem.code, problem]),
)
/** Those that say an hour. */
const ENDING = [...disconnect.DISCONNECT_RULES.keys()]
  .flatMap((code) => disconnect.ruleOf(code, UNTIL).problem ?? [])
  .filter(({ until }) => until !== undefined)

const languages = Object.keys(LANGUAGES) as Language[] // its keys are the type

const shown = (problem: SessionProblem) => ({
  until: null,
  scannedPhone: null,
  connectedAs: null,
  ...problem,
})

describe('a problem of a number', () => {
  it.each([
    ['RECONNECTING', 'busy', 'now'],
    ['OUTDATED', 'busy', 'now'],
    ['STOPPED', 'busy', 'wait'],
    ['STORE_UNAVAILABLE', 'busy', 'wait'],
    ['LOGGED_OUT', 'bad', 'pair'],
    ['QR_EXPIRED', 'bad', 'pair'],
    ['PAIRING_CODE_REFUSED', 'bad', 'pair'],
    ['WRONG_NUMBER', 'bad', 'pair'],
    ['MULTI_DEVICE_OFF', 'bad', 'pair'],
    ['ACCOUNT_LOCKED', 'bad', 'pair'],
    ['ALREADY_HERE', 'bad', 'remove'],
    ['REPLACED', 'bad', 'restart'],
    ['BANNED', 'bad', 'restart'],
    ['TEMPORARILY_BANNED', 'bad', 'restart'],
  ])('%s is %s, its button is %s, and it has words', async (code, tone, cure) => {
    const given = GIVEN.get(code)
    if (given === undefined) throw new Error(`nobody gives ${code}`)
    const problem = shown(given)
    expect([toneOf({ status: 'disconnected', problem }), cureOf(problem)]).toEqual([tone, cure])
    GIVEN.delete(code)
    const said = new Set<string>()
    for (const language of languages) {
      const { find } = await loadWords(language)
      const { message, action } = sessionProblemWords(problem, find, clock)
      expect(message).toContain(find(`problem.${code}`))
      expect([action, action === '']).toEqual([find(`problem.${code}.do`), false])
      said.add(message)
    }
    expect(said.size).toBe(languages.length)
  })

  it('is in the table above, whatever it is', () => {
    expect([...GIVEN.keys()]).toEqual([])
  })

  it.each(languages)(
    'of a phone that is here already says as which number, where it has a name, in %s',
    async (language) => {
      const { find } = await loadWords(language)
      const said = (name?: string) =>
        sessionProblemWords(shown(disconnect.alreadyHere(SCANNED, name)), find, clock).message
      expect(said('Reception')).toContain(find('problem.ALREADY_HERE.as', { name: 'Reception' }))
      expect(said('Reception')).toContain('Reception')
      expect(said()).toContain(find('problem.ALREADY_HERE'))
    },
  )

  it.each(languages)('that ends by itself asks nobody for anything, in %s', async (language) => {
    expect(ENDING.map(({ code }) => code)).toEqual(['TEMPORARILY_BANNED'])
    const { find } = await loadWords(language)
    for (const each of ENDING) {
      const problem = shown(each)
      expect([toneOf({ status: 'restricted', problem }), cureOf(problem)]).toEqual(['busy', 'wait'])
      const { message, action } = sessionProblemWords(problem, find, clock)
      expect(message).toContain(find('problem.until', { time: '14:05' }))
      expect(action).toBe(find('problem.wait.do'))
    }
  })
})
