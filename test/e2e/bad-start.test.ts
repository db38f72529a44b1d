/** Starts that must not happen, as an operator meets them: the real process, its exit and its last words. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { freePort } from '../../sandbox/bridge-process.ts'
import { waitFor } from '../support/wait-for.ts'

describe('a start that must not happen', () => {
  let dataDir: string
  const running = new Set<ReturnType<typeof run>>()

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'bridge-start-'))
  })
  afterEach(async () => {
    for (const one of running) await one.kill()
    running.clear()
    await rm(dataDir, { recursive: true, force: true })
  })

  function run(env: Record<string, string>) {
    const child = spawn(process.execPath, ['--liftoff-only', 'src/main.ts'], {
      env: { PATH: process.env['PATH'], DATA_DIR: dataDir, PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)))
    const ended = once(child, 'close').then(() => child.exitCode)
    const one = {
      ended,
      output: () => output,
      terminate: () => child.kill('SIGTERM'),
      kill: async () => {
        child.kill('SIGKILL')
        await ended
      },
    }
    running.add(one)
    return one
  }

  const isListening = (one: ReturnType<typeof run>) =>
    waitFor('the server', () => one.output().includes('listening'), 30_000)

  it('names the variable that is wrong and what is expected, and ends with 1', async () => {
    const one = run({ GHL_API_URL: 'services.leadconnectorhq.com' })
    expect(await one.ended).toBe(1)
    expect(one.output()).toContain('CONFIG_INVALID: GHL_API_URL is wrong: expected a https:// URL')
  })

  it('refuses a second process on the same data folder, and starts once the first has been killed', async () => {
    const first = run({})
    await isListening(first)
    const second = run({})
    expect(await second.ended).toBe(1)
    expect(second.output()).toContain('STORE_LOCKED')
    await first.kill()
    await isListening(run({}))
  })

  it('says that the port is in use', async () => {
    const port = await freePort()
    const squatter = createServer().listen(port, '127.0.0.1')
    await once(squatter, 'listening')
    const one = run({ PORT: String(port) })
    expect(await one.ended).toBe(1)
    expect(one.output()).toContain(`PORT_IN_USE: PORT ${port} on 127.0.0.1 is in use`)
    squatter.close()
  })

  it('does not make a new key for a store whose key is lost', async () => {
    const first = run({})
    await isListening(first)
    expect(first.output()).toContain('Your operator key, shown once')
    await first.kill()
    await rm(join(dataDir, 'secrets.json'))
    const second = run({})
    expect(await second.ended).toBe(1)
    expect(second.output()).toContain('ENCRYPTION_KEY is missing')
  })

  it('drains and ends with 0 at SIGTERM', async () => {
    const one = run({})
    await isListening(one)
    one.terminate()
    expect(await one.ended).toBe(0)
    expect(one.output()).toContain('"msg":"stopped"')
  })
})
