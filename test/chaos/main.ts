/** `npm run chaos -- --kills N --seed S`. Status 0 only when nothing was lost, doubled or reordered. */
import { parseArgs } from 'node:util'
import { runChaos } from './run-chaos.ts'

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '20' }, seed: { type: 'string', default: '1' } },
})

const print = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

const result = await runChaos({ kills: Number(values.kills), seed: Number(values.seed), log: print })
const { inbound, outbound } = result
for (const direction of [inbound, outbound]) {
  for (const kind of ['lost', 'doubled', 'reordered'] as const) {
    if (direction[kind].length > 0) print(`${kind}: ${direction[kind].slice(0, 20).join(' | ')}`)
  }
}
if (result.oddities.length > 0) print(`odd: ${result.oddities.join(' | ')}`)
const count = (kind: 'lost' | 'doubled' | 'reordered') => inbound[kind].length + outbound[kind].length
print(
  `kills=${result.kills} inbound=${inbound.total} outbound=${outbound.total} ` +
    `lost=${count('lost')} doubled=${count('doubled')} reordered=${count('reordered')}`,
)
process.exitCode =
  count('lost') + count('doubled') + count('reordered') + result.oddities.length === 0 ? 0 : 1
