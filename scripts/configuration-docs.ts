/** The environment as people read it. */
import { VARIABLES } from '../src/config.ts'

const groups = (): Map<string, string[]> =>
  Map.groupBy(Object.keys(VARIABLES), (name) => VARIABLES[name]?.group ?? '')

function fallbackOf(name: string): string {
  const { fallback, fallbackDoc } = VARIABLES[name] ?? {}
  if (fallbackDoc !== undefined) return fallbackDoc
  return fallback === undefined || fallback === '' ? '' : `\`${fallback}\``
}

export function configurationMarkdown(): string {
  const sections = [...groups()].map(([group, names]) => {
    const rows = names.map((name) => `| \`${name}\` | ${fallbackOf(name)} | ${VARIABLES[name]?.doc ?? ''} |`)
    return `## ${group}\n\n| Variable | Default | Meaning |\n| --- | --- | --- |\n${rows.join('\n')}\n`
  })
  return `# Configuration

Generated from \`src/config.ts\` by \`npm run docs\`. All of it is checked at start; a wrong value stops the start and is
named, with what is expected. Lists are comma separated. \`http:\` and \`ws:\` are accepted for this machine only.

${sections.join('\n')}`
}

export function envExample(): string {
  const sections = [...groups()].map(([group, names]) => {
    const lines = names.map((name) => {
      const { doc, fallback } = VARIABLES[name] ?? { doc: '' }
      return `# ${doc}\n# ${name}=${fallback ?? ''}`
    })
    return `## ${group}\n\n${lines.join('\n\n')}\n`
  })
  return `# Generated from src/config.ts by npm run docs. Everything is optional with the embedded store.\n\n${sections.join('\n')}`
}
