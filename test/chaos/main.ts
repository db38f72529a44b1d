/**
 * `npm run chaos -- --kills N --seed S [--db postgres] [--nodes 2]`. Status 0 only when nothing was lost, doubled or
 * reordered. Several nodes need a database that they share.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startPostgres } from '../support/start-postgres.ts'
import { type ChaosResult, runChaos } from './run-chaos.ts'

const { values: flags } = parseArgs({
  options: {
    kills: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    db: { type: 'string', default: 'embedded' },
    nodes: { type: 'string', default: '1' },
    /** Where to keep what the servers printed. */
    output: { type: 'string' },
  },
})

const print = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

async function run(databaseUrl: string | undefined): Promise<ChaosResult> {
  return await runChaos({
    kills: Number(flags.kills),
    seed: Number(flags.seed),
    nodes: Number(flags.nodes),
    ...(databaseUrl !== undefined && { databaseUrl }),
    log: print,
  })
}

async function runOnPostgres(): Promise<ChaosResult> {
  const folder = await mkdtemp(join(tmpdir(), 'bridge-chaos-'))
  const postgres = await startPostgres(join(folder, 'postgres'))
  try {
    return await run(postgres.url)
  } finally {
    await postgres.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

const result =
  flags.db === 'postgres' || Number(flags.nodes) > 1 ? await runOnPostgres() : await run(undefined)
const { inbound, outbound, oddities } = result
for (const verdict of [inbound, outbound]) {
  for (const kind of ['lost', 'doubled', 'reordered'] as const) {
    if (verdict[kind].length > 0) print(`${kind}: ${verdict[kind].slice(0, 20).join(' | ')}`)
  }
}
if (oddities.length > 0) print(`odd: ${oddities.join(' | ')}`)
if (flags.output !== undefined) await writeFile(flags.output, result.output)

const count = (kind: 'lost' | 'doubled' | 'reordered') => inbound[kind].length + outbound[kind].length
const [lost, doubled, reordered] = [count('lost'), count('doubled'), count('reordered')]
print(
  `kills=${result.kills} inbound=${inbound.total} outbound=${outbound.total} lost=${lost} doubled=${doubled} reordered=${reordered}`,
)
process.exitCode = lost + doubled + reordered + oddities.length === 0 ? 0 : 1
