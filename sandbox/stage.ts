/** Everything a story needs: both sandboxes, the real server pointed at them, one sub-account. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BridgeProcess, freePort } from './bridge-process.ts'
import { Front } from './front.ts'
import { type GhlSandboxOptions, startGhlSandbox } from './ghl/ghl-sandbox.ts'
import type { GhlSandbox } from './ghl/in-process.ts'
import { type StartOptions, startWhatsAppSandbox, type WhatsAppSandbox } from './whatsapp/index.ts'

export interface StageOptions {
  /** Servers on one shared database (set DATABASE_URL in `env`) behind one address. Default: one, with its own store. */
  readonly nodes?: number
  readonly whatsapp?: StartOptions
  readonly ghl?: GhlSandboxOptions
  /** Added to (and over) what the stage tells the server. */
  readonly env?: Readonly<Record<string, string>>
  /** Fills the data folder before the first start. */
  readonly prepare?: (dataDir: string) => Promise<void>
}

/** Every node must know the same two. */
const sharedSecrets = () => ({
  API_KEY: randomBytes(24).toString('base64url'),
  ENCRYPTION_KEY: randomBytes(32).toString('base64'),
})

/** A session as the API shows it. */
export interface SessionView {
  readonly id: string
  readonly locationId: string
  readonly status: string
  readonly phoneNumber: string | null
  readonly qr: string | null
  readonly pairingCode: string | null
  readonly problem: { readonly code: string } | null
}

/** What points a server at the sandboxes, besides `--import sandbox/preload.ts`. */
export function sandboxEnvironment(parts: {
  whatsapp: WhatsAppSandbox
  ghl: GhlSandbox
  caFile: string
}): Record<string, string> {
  const { whatsapp, ghl } = parts
  return {
    NODE_EXTRA_CA_CERTS: parts.caFile,
    SANDBOX_WHATSAPP_ROOT_KEY: whatsapp.rootPublicKey,
    SANDBOX_MEDIA_HOST: whatsapp.mediaHost,
    WHATSAPP_WEB_SOCKET_URL: whatsapp.webSocketUrl,
    GHL_API_URL: ghl.url,
    GHL_MARKETPLACE_URL: ghl.marketplaceUrl,
    GHL_CLIENT_ID: ghl.clientId,
    GHL_CLIENT_SECRET: ghl.clientSecret,
    GHL_APP_VERSION_ID: ghl.versionId,
    GHL_PROVIDER_ID: ghl.providerId,
    GHL_SHARED_SECRET: ghl.sharedSecret,
    GHL_FRAME_ANCESTORS: ghl.url,
    GHL_WEBHOOK_PUBLIC_KEY: ghl.publicKey,
    ATTACHMENT_ALLOWED_HOSTS: new URL(ghl.url).host,
  }
}

export class Stage {
  readonly whatsapp: WhatsAppSandbox
  readonly ghl: GhlSandbox
  /** The only one, or the first of several. */
  readonly bridge: BridgeProcess
  readonly nodes: readonly BridgeProcess[]
  readonly #front: Front | undefined
  readonly #folder: string

  private constructor(parts: {
    whatsapp: WhatsAppSandbox
    ghl: GhlSandbox
    nodes: readonly [BridgeProcess, ...BridgeProcess[]]
    front: Front | undefined
    folder: string
  }) {
    this.whatsapp = parts.whatsapp
    this.ghl = parts.ghl
    this.bridge = parts.nodes[0]
    this.nodes = parts.nodes
    this.#front = parts.front
    this.#folder = parts.folder
  }

  /** Starts the sandboxes and prepares the server; `bridge.start()` runs it. */
  static async set(options: StageOptions = {}): Promise<Stage> {
    const folder = await mkdtemp(join(tmpdir(), 'ghl-whatsapp-bridge-'))
    const caFile = join(folder, 'sandbox-ca.pem')
    const dataDir = join(folder, 'data')
    const whatsapp = await startWhatsAppSandbox({ caFile, ...options.whatsapp })
    const ports = await Promise.all(Array.from({ length: options.nodes ?? 1 }, () => freePort()))
    const front = ports.length > 1 ? await Front.open(ports) : undefined
    const url = `http://127.0.0.1:${front?.port ?? ports[0] ?? 0}`
    const ghl = await startGhlSandbox({
      redirectUris: [`${url}/oauth/callback`],
      deliveryUrl: `${url}/ghl/provider/webhook`,
      ...options.ghl,
    })
    await options.prepare?.(dataDir)
    const env = {
      LOG_LEVEL: 'debug',
      PUBLIC_URL: url,
      ...sandboxEnvironment({ whatsapp, ghl, caFile }),
      ...sharedSecrets(),
      ...options.env,
    }
    const [first = 0, ...others] = ports
    const node = (port: number) => new BridgeProcess({ port, url, dataDir, env })
    return new Stage({ whatsapp, ghl, nodes: [node(first), ...others.map(node)], front, folder })
  }

  /** Installs the app in a sub-account as its owner does: by link, choice and redirect. */
  async install(locationId: string): Promise<void> {
    const begun = await fetch(`${this.bridge.url}/oauth/install`, { redirect: 'manual' })
    const choose = new URL(begun.headers.get('location') ?? '')
    choose.searchParams.set('location_id', locationId)
    choose.searchParams.set('approve', '1')
    const installed = await fetch(choose)
    if (!installed.ok)
      throw new Error(`the install was refused: ${installed.status} ${await installed.text()}`)
  }

  /** Creates a session and returns its id. */
  async createSession(locationId: string, wish: Record<string, string> = {}): Promise<string> {
    const created = await this.bridge.operator('POST', `/ghl/location/${locationId}/session`, wish)
    if (created.status !== 201) throw new Error(`no session: ${created.status} ${await created.text()}`)
    return ((await created.json()) as { session_id: string }).session_id // our own contract
  }

  async session(locationId: string, sessionId: string): Promise<SessionView> {
    const listed = await this.bridge.operator('GET', `/ghl/location/${locationId}/session`)
    const { sessions } = (await listed.json()) as { sessions: SessionView[] } // our own contract
    const found = sessions.find(({ id }) => id === sessionId)
    if (found === undefined) throw new Error(`there is no session ${sessionId}`)
    return found
  }

  /** Waits until the session is as wanted. */
  async sessionUntil(
    locationId: string,
    sessionId: string,
    isWanted: (session: SessionView) => boolean,
    timeoutMs = 20_000,
  ): Promise<SessionView> {
    const deadline = Date.now() + timeoutMs
    for (;;) {
      const session = await this.session(locationId, sessionId)
      if (isWanted(session)) return session
      if (Date.now() > deadline)
        throw new Error(`the session stayed ${session.status} ${session.problem?.code ?? ''}`)
      await new Promise((resolve) => setTimeout(resolve, 40))
    }
  }

  /** Pairs a phone by QR and waits until the number is ready. */
  async pair(locationId: string, phone: string): Promise<string> {
    const sessionId = await this.createSession(locationId)
    const { qr } = await this.sessionUntil(locationId, sessionId, (session) => session.qr !== null)
    await this.whatsapp.scan(phone, qr ?? '')
    await this.sessionUntil(locationId, sessionId, (session) => session.status === 'ready')
    return sessionId
  }

  /** The address at which GHL shows the location's page in its frame. */
  customPage(locationId: string, role: 'admin' | 'user' = 'admin'): string {
    const url = `${this.bridge.url}/app?location={{location.id}}`
    return `${this.ghl.url}/custom-page/${locationId}?${new URLSearchParams({ url, role }).toString()}`
  }

  async strike(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()))
    await this.#front?.close()
    await Promise.all([this.ghl.stop(), this.whatsapp.stop()])
    await rm(this.#folder, { recursive: true, force: true })
  }
}
