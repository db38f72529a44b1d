/** The docs name files and tests; a name that leads nowhere is worse than none. */
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const FOLDERS = readdirSync('.')
const KINDS = readdirSync('test')

/** `test/` and the endings are left out of tables; of a migration its number is enough. */
function isThere(name: string): boolean {
  if (name.startsWith('sql/')) return globSync(`${name}*`).length > 0
  return [name, `test/${name}`, `test/${name}.ts`, `test/${name}.test.ts`].some((path) => existsSync(path))
}

it.each(['README.md', ...globSync('docs/**/*.md')])('%s names only what is there', (doc) => {
  const names = [...readFileSync(doc, 'utf8').matchAll(/`([\w.-]+\/[\w./-]+)`/g)].map(([, name = '']) => name)
  const ours = names.filter((name) => [...FOLDERS, ...KINDS].includes(name.split('/')[0] ?? ''))
  expect(ours.filter((name) => !isThere(name))).toEqual([])
})
