/** What of a vCard a person wants to read at a glance. */

export interface CardFacts {
  readonly name: string | undefined
  readonly organisation: string | undefined
  readonly phones: readonly string[]
  readonly mails: readonly string[]
}

/** More of a kind than this is a list, not a card. */
const MAX_VALUES = 10

/**
 * Reads leniently: phones write versions 2.1 to 4.0, and what cannot be understood is left out, not refused.
 *
 * @see RFC 2426, RFC 6350 for folding, escapes and structured values.
 */
export function readCard(vcard: string): CardFacts {
  const properties = propertiesOf(vcard)
  const values = (name: string): string[] =>
    properties
      .filter((property) => property.name === name)
      .map(({ value }) => value)
      .filter((value) => value !== '')
      .slice(0, MAX_VALUES)
  const [structured] = values('N')
  return {
    name: values('FN')[0] ?? (structured === undefined ? undefined : nameOf(structured)),
    organisation: values('ORG')[0]?.split(';').filter(Boolean).join(', '),
    phones: values('TEL').map((phone) => phone.replace(/^tel:/i, '')),
    mails: values('EMAIL'),
  }
}

interface Property {
  readonly name: string
  readonly value: string
}

function propertiesOf(vcard: string): Property[] {
  const unfolded = vcard.replaceAll(/\r?\n[ \t]/g, '')
  return unfolded.split(/\r?\n|\r/).flatMap((line) => {
    // `item1.TEL;waid=15551230001:+1 555 123 0001`
    const match = /^(?:[\w-]+\.)?([A-Za-z-]+)((?:;[^:]*)?):(.*)$/.exec(line)
    const [, name = '', parameters = '', value = ''] = match ?? []
    if (name === '') return []
    return [{ name: name.toUpperCase(), value: unescaped(decoded(value, parameters)).trim() }]
  })
}

/** Old Android phones encode names like mail headers do. */
function decoded(value: string, parameters: string): string {
  if (!/QUOTED-PRINTABLE/i.test(parameters)) return value
  const encoded = value.replaceAll('%', '%25').replaceAll(/=([\dA-F]{2})/gi, '%$1')
  try {
    return decodeURIComponent(encoded)
  } catch {
    return value
  }
}

const unescaped = (value: string): string => value.replaceAll(/\\n/gi, ' ').replaceAll(/\\([\\,;:])/g, '$1')

/** Family, given, additional, prefix, suffix. */
function nameOf(structured: string): string | undefined {
  const [family, given, additional, prefix, suffix] = structured.split(';').map((part) => part.trim())
  return [prefix, given, additional, family, suffix].filter(Boolean).join(' ') || undefined
}
