/** npm run bench -- [--json FILE] [name ...]: every measurement, or the named ones. Ends with 1 when a budget is exceeded. */
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { firstPaint } from './first-paint.ts'
import { largeFile } from './large-file.ts'
import { limit } from './limit.ts'
import { texts } from './texts.ts'

const MEASUREMENTS = [firstPaint, largeFile, limit, texts]

const { values, positionals } = parseArgs({ options: { json: { type: 'string' } }, allowPositionals: true })
const chosen = MEASUREMENTS.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
const results = []
for (const { name, run } of chosen) {
  for (const figure of await run()) {
    const { value, budget: most, atLeast } = figure
    const isWithin = value <= (most ?? Infinity) && value >= (atLeast ?? -Infinity)
    results.push({ measurement: name, ...figure, isWithin })
    const bound = most ?? (atLeast === undefined ? undefined : `at least ${atLeast}`)
    const budget = bound === undefined ? '' : `  (budget ${bound}: ${isWithin ? 'kept' : 'MISSED'})`
    process.stdout.write(
      `${figure.what.padEnd(52)} ${figure.value.toFixed(2).padStart(9)} ${figure.unit}${budget}\n`,
    )
  }
}
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify({ results }, null, 2)}\n`)
process.exitCode = results.every(({ isWithin }) => isWithin) ? 0 : 1
