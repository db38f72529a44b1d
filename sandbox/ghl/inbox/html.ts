/** Markup as text, with every value escaped unless it is markup itself. */

export interface Markup {
  readonly html: string
}

type Part = string | number | Markup | undefined | readonly Markup[]

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** A template tag: `html`...`` escapes what is put in. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  const rendered = strings.map((text, index) => text + (index < parts.length ? partText(parts[index]) : ''))
  return { html: rendered.join('') }
}

/** Text that is markup already: our own style and script. */
export function trusted(text: string): Markup {
  return { html: text }
}

function partText(part: Part): string {
  if (part === undefined) return ''
  if (typeof part === 'string') return part.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
  if (typeof part === 'number') return String(part)
  return 'html' in part ? part.html : part.map((item) => item.html).join('')
}
