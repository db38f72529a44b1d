/**
 * One process per embedded store. PGlite does not lock its folder, and two processes silently destroy each other's rows.
 *
 * The lock is a listening Unix socket in the folder (a named pipe on Windows): the kernel ends it with the process, even
 * by kill -9, and a connection attempt tells a live owner from a dead one's leftover. Taking over a leftover is two steps
 * (remove, bind), so whoever does it looks afterwards whether the socket there is still his own: it answers with a name
 * drawn at random. Not covered: two machines that share a network volume.
 */
import { createHash, randomUUID } from 'node:crypto'
import { mkdtemp, realpath, rm, symlink } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { platform, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { StoreError } from '../core/errors.ts'

export interface DirectoryLock {
  release(): Promise<void>
}

/** The kernel's limit for a socket path is 104 bytes on macOS, 108 on Linux; some room is left. */
const MAX_SOCKET_PATH_BYTES = 100
const SOCKET_NAME = 'lock.sock'
/** Longer than a rival needs between removing a leftover and binding his own. */
const TAKEOVER_CHECK_MS = 100
const CONNECT_TIMEOUT_MS = 2_000

/** @throws {StoreError} `STORE_LOCKED` when another process has the folder open. */
export async function lockDirectory(dir: string): Promise<DirectoryLock> {
  const path = await socketPath(dir)
  try {
    return await take(path.path, dir)
  } finally {
    await path.discard()
  }
}

async function take(path: string, dir: string): Promise<DirectoryLock> {
  const name = randomUUID()
  const first = await listen(path, name)
  if (first !== undefined) return lockOf(first)
  if ((await ownerOf(path)) !== undefined) throw locked(dir)
  await rm(path, { force: true })
  const server = await listen(path, name)
  if (server === undefined) throw locked(dir)
  await delay(TAKEOVER_CHECK_MS)
  if ((await ownerOf(path)) === name) return lockOf(server)
  await closeServer(server)
  throw locked(dir)
}

function locked(dir: string): StoreError {
  return new StoreError('STORE_LOCKED', 'The embedded store is open in another process', {
    action:
      'Stop the other process, or give this one its own DATA_DIR. For several processes use DATABASE_URL.',
    details: { dir },
  })
}

const lockOf = (server: Server): DirectoryLock => ({ release: () => closeServer(server) })

/** `undefined` when something is at that path already, alive or left over. */
async function listen(path: string, name: string): Promise<Server | undefined> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined) // a rival that asked and went away
    socket.end(name)
  })
  server.unref()
  return await new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined)
      else reject(error)
    })
    server.listen(path, () => {
      resolve(server)
    })
  })
}

/** The name of the process that listens there, `undefined` for a leftover. */
async function ownerOf(path: string): Promise<string | undefined> {
  return await new Promise((resolve) => {
    let answer = ''
    const socket = connect(path)
    socket.setTimeout(CONNECT_TIMEOUT_MS)
    socket.on('data', (bytes) => {
      answer += bytes.toString('utf8')
    })
    socket.on('end', () => {
      resolve(answer)
    })
    // Connected, but busy: alive, and not us.
    socket.on('timeout', () => {
      socket.destroy()
      resolve('')
    })
    socket.on('error', () => {
      resolve(undefined)
    })
  })
}

async function closeServer(server: Server): Promise<void> {
  await new Promise((resolve) => {
    server.close(resolve)
  })
}

/** A folder that lies too deep is reached through a short link; the socket itself is made in the folder all the same. */
async function socketPath(dir: string): Promise<{ path: string; discard: () => Promise<void> }> {
  const nothing = () => Promise.resolve()
  const real = await realpath(dir)
  if (platform() === 'win32') {
    const hash = createHash('sha256').update(real).digest('hex').slice(0, 32)
    return { path: `\\\\.\\pipe\\ghl-whatsapp-bridge-${hash}`, discard: nothing }
  }
  const direct = join(real, SOCKET_NAME)
  if (Buffer.byteLength(direct) <= MAX_SOCKET_PATH_BYTES) return { path: direct, discard: nothing }
  const folder = await mkdtemp(join(tmpdir(), 'lock-'))
  await symlink(real, join(folder, 'd'))
  return {
    path: join(folder, 'd', SOCKET_NAME),
    discard: () => rm(folder, { recursive: true, force: true }),
  }
}
