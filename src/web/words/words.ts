/**
 * What the pages say, in three languages. `en.json` is the catalogue; the others must have the same keys, with the same
 * `{values}` in them (a test looks). `*stars*` mark what stands on a button or in a menu.
 */
import english from './en.json' with { type: 'json' }

export const LANGUAGES = { en: 'English', es: 'Español', 'pt-BR': 'Português (BR)' } as const
export type Language = keyof typeof LANGUAGES

export type Word = keyof typeof english
/** Words that differ by number: `x.one`, `x.other`. */
export type CountWord = Word extends infer Key ? (Key extends `${infer Stem}.other` ? Stem : never) : never
type Catalogue = Readonly<Record<Word, string>>
type Values = Readonly<Record<string, string | number>>

const catalogues: Readonly<Record<Language, () => Promise<Catalogue>>> = {
  en: () => Promise.resolve(english),
  es: async () => named((await import('./es.json', { with: { type: 'json' } })).default),
  'pt-BR': async () => named((await import('./pt-BR.json', { with: { type: 'json' } })).default),
}

/** The build makes the other languages data that is fetched: texts alone, in the order of the English keys (scripts/build-pages.ts). */
function named(words: Catalogue | readonly string[]): Catalogue {
  if (!Array.isArray(words)) return words as Catalogue // Array.isArray does not narrow a read-only array away
  const texts: readonly unknown[] = words
  return Object.fromEntries(Object.keys(english).map((key, index) => [key, texts[index]])) as Catalogue // by the build
}

export interface Words {
  readonly language: Language
  say(word: Word, values?: Values): string
  /** Says how many: `{count}` is filled in, as the language writes numbers. */
  count(word: CountWord, count: number, values?: Values): string
  /** The word for a code of the server, `undefined` for one that the catalogue does not have. */
  find(key: string, values?: Values): string | undefined
}

export const isLanguage = (text: string | null): text is Language => text !== null && text in LANGUAGES

/** The first of the reader's languages that we speak. */
export function preferredLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const [language = ''] = tag.toLowerCase().split('-')
    if (language === 'pt') return 'pt-BR'
    if (isLanguage(language)) return language
  }
  return 'en'
}

export async function loadWords(language: Language): Promise<Words> {
  const catalogue: Readonly<Record<string, string>> = await catalogues[language]()
  const plurals = new Intl.PluralRules(language)
  const numbers = new Intl.NumberFormat(language)
  const fill = (text: string, values: Values = {}): string =>
    text.replace(/\{(\w+)\}/g, (whole, name: string) => {
      const value = values[name]
      return typeof value === 'number' ? numbers.format(value) : (value ?? whole)
    })
  const find = (key: string, values?: Values) => {
    const text = catalogue[key]
    return text === undefined ? undefined : fill(text, values)
  }
  return {
    language,
    find,
    say: (word, values) => find(word, values) ?? word,
    count: (word, count, values) => {
      const form = `${word}.${plurals.select(count)}`
      const all = { ...values, count }
      return find(form, all) ?? find(`${word}.other`, all) ?? word
    },
  }
}
