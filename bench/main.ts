/** npm run bench -- [--json FILE] [name ...]: every measurement, or the named ones. Ends with 1 when a budget is exceeded. */
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { firstPaint } from './first-paint.ts'
import { largeFile } from './large-file.ts'
import { texts } from './texts.ts'

const MEASUREMENTS = [firstPaint, largeFile, texts]

const { values, positionals } = parseArgs({ options: { json: { type: 'string' } }, allowPositionals: true })
const chosen = MEASUREMENTS.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
const results = []
for (const { name, run } of chosen) {
  for (const figure of await run()) {
    const isWithin = figure.budget === undefined || figure.value <= figure.budget
    results.push({ measurement: name, ...figure, isWithin })
    const budget =
      figure.budget === undefined ? '' : `  (budget ${figure.budget}: ${isWithin ? 'kept' : 'EXCEEDED'})`
    process.stdout.write(
      `${figure.what.padEnd(52)} ${figure.value.toFixed(2).padStart(9)} ${figure.unit}${budget}\n`,
    )
  }
}
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify({ results }, null, 2)}\n`)
process.exitCode = results.every(({ isWithin }) => isWithin) ? 0 : 1
