/** Set-up file of the recorded run: writes each exchange of the sandbox as a line, one file per worker. */
import { subscribe } from 'node:diagnostics_channel'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { threadId } from 'node:worker_threads'
import { EXCHANGE_CHANNEL } from '../../sandbox/ghl/exchanges.ts'

const folder = process.env['GHL_EXCHANGES_DIR']
if (folder === undefined) throw new Error('GHL_EXCHANGES_DIR is not set: start this by "npm run contract"')
const file = join(folder, `${process.pid}-${threadId}.jsonl`)

// Synchronous, so that a worker which is ended early has written all it saw.
subscribe(EXCHANGE_CHANNEL, (exchange) => appendFileSync(file, `${JSON.stringify(exchange)}\n`))
