/**
 * The real server as a child process, pointed at the sandboxes by environment and `--import` only: the product has no
 * test switch. Demo and tests start, stop and kill it with this.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'

const START_TIMEOUT_MS = 40_000
const PRELOAD = new URL('./preload.ts', import.meta.url).href
const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))

export interface BridgeSettings {
  readonly port: number
  readonly dataDir: string
  /** Everything else the server is told; both secrets are made up when absent. */
  readonly env: Readonly<Record<string, string>>
}

/** A port of this machine that was free a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new Error('the probe has no port')
  return address.port
}

export class BridgeProcess {
  readonly url: string
  readonly apiKey: string
  readonly #settings: BridgeSettings
  readonly #secrets: Readonly<Record<'API_KEY' | 'ENCRYPTION_KEY', string>>
  readonly #output: string[] = []
  #child: ChildProcess | undefined

  constructor(settings: BridgeSettings) {
    this.#settings = settings
    this.#secrets = {
      API_KEY: settings.env['API_KEY'] ?? randomBytes(24).toString('base64url'),
      ENCRYPTION_KEY: settings.env['ENCRYPTION_KEY'] ?? randomBytes(32).toString('base64'),
    }
    this.apiKey = this.#secrets.API_KEY
    this.url = `http://127.0.0.1:${settings.port}`
  }

  /** Everything it printed so far, of all its starts. */
  get output(): string {
    return this.#output.join('')
  }

  get secrets(): readonly string[] {
    return [...Object.values(this.#secrets)]
  }

  /** Resolves when the server says it is ready; rejects with its last words when it ends first. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, ['--liftoff-only', '--import', PRELOAD, MAIN], {
      env: { PATH: process.env['PATH'], ...this.#settings.env, ...this.#secrets, ...this.#address() },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8')
      stream.on('data', (text: string) => this.#output.push(text))
    }
    const deadline = Date.now() + START_TIMEOUT_MS
    while (!(await this.#isReady())) {
      if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline) {
        await this.kill()
        throw new Error(`the bridge did not start:\n${this.output.slice(-2_000)}`)
      }
      await new Promise((resolve) => setTimeout(resolve, 30))
    }
  }

  /** SIGTERM, and waits for the end of the drain. Returns the exit code. */
  async stop(): Promise<number | null> {
    return await this.#end('SIGTERM')
  }

  /** kill -9. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** A call as the operator. */
  async operator(method: string, path: string, body?: unknown): Promise<Response> {
    return await fetch(this.url + path, {
      method,
      headers: {
        authorization: `Bearer ${this.apiKey}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  }

  #address(): Record<string, string> {
    return { PORT: String(this.#settings.port), PUBLIC_URL: this.url, DATA_DIR: this.#settings.dataDir }
  }

  async #isReady(): Promise<boolean> {
    return await fetch(`${this.url}/ready`).then(
      (response) => response.ok,
      () => false,
    )
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child
    if (child === undefined) return null
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal)
      await once(child, 'exit')
    }
    return child.exitCode
  }
}
