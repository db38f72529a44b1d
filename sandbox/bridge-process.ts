/**
 * The real server as a child process, pointed at the sandboxes by environment and `--import` only: the product has no
 * test switch. Demo and tests start, stop and kill it with this.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'

const START_TIMEOUT_MS = 40_000
const PRELOAD = new URL('./preload.ts', import.meta.url).href
const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))

export interface BridgeSettings {
  readonly port: number
  /** Where callers reach it; a front's address when there are several nodes. */
  readonly url: string
  readonly dataDir: string
  /** Everything else the server is told, API_KEY and ENCRYPTION_KEY included. */
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
  readonly #output: string[] = []
  #child: ChildProcess | undefined

  constructor(settings: BridgeSettings) {
    this.#settings = settings
    this.apiKey = settings.env['API_KEY'] ?? ''
    this.url = settings.url
  }

  /** Everything it printed so far, of all its starts. */
  get output(): string {
    return this.#output.join('')
  }

  /** 0 while it does not run. */
  get pid(): number {
    return this.#child?.pid ?? 0
  }

  get secrets(): readonly string[] {
    return ['API_KEY', 'ENCRYPTION_KEY', 'GHL_CLIENT_SECRET'].flatMap(
      (name) => this.#settings.env[name] ?? [],
    )
  }

  /** Resolves when the server says it is ready; rejects with its last words when it ends first. */
  async start(): Promise<void> {
    const child = spawn(
      process.execPath,
      ['--liftoff-only', '--max-semi-space-size=1', '--import', PRELOAD, MAIN],
      {
        env: {
          PATH: process.env['PATH'],
          ...this.#settings.env,
          PORT: String(this.#settings.port),
          DATA_DIR: this.#settings.dataDir,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
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

  async #isReady(): Promise<boolean> {
    return await fetch(`http://127.0.0.1:${this.#settings.port}/ready`).then(
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
