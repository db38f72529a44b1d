/**
 * Kills the server again and again under two-way load with faults on both sides, then judges the far ends.
 *
 * Each of ten chats has a customer who writes numbered texts and an agent who answers with numbered texts; an agent goes
 * on when GHL has handed his last one over, because GHL itself promises no order between deliveries it has to repeat.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Stage } from '../../sandbox/stage.ts'
import { judge, type Sent, type Verdict } from './judge.ts'
import { Random } from './random.ts'
import { troubleGhl, WireTroubles } from './troubles.ts'

const OWNER = '15550009999'
const CHATS = 10
/** Of one customer. A machine that is slow with more would kill servers that have not begun. */
const MOST_ON_THE_WAY = 15
/** After the last kill, with no more faults, something arrives at least this often until all is there. */
const STILLNESS_MS = 60_000
/** A killed node's numbers come back on the other when its lease has run out, and after that as fast as the machine is. */
const TAKEN_OVER_MS = 60_000
/** Ten chats say more than GHL's real allowance takes; what is tested here is not the pace. */
const PLENTY = { max: 2_000, intervalMs: 1_000, perDay: 100_000_000, window: 'fixed' } as const

export interface ChaosOptions {
  readonly kills: number
  readonly seed: number
  /** Shared by the nodes; without it one node keeps its own embedded store. */
  readonly databaseUrl?: string
  /** Killed in turn. */
  readonly nodes?: number
  readonly log?: (line: string) => void
}

export interface ChaosResult {
  readonly kills: number
  readonly inbound: Verdict
  readonly outbound: Verdict
  readonly oddities: readonly string[]
  readonly output: string
}

export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const random = new Random(options.seed)
  const wire = new WireTroubles(new Random(options.seed + 1))
  const stage = await Stage.set({
    whatsapp: { faults: wire },
    ghl: {
      statusEarlyMs: 200,
      rateLimit: PLENTY,
      // GHL repeats a delivery for days; here the server dies every few seconds, so the days are short.
      settings: { retry: { maxRetries: 100_000, baseMs: 50, capMs: 400, timeoutMs: 10_000 } },
    },
    env: {
      LOG_LEVEL: 'info',
      GHL_TIMEOUT_MS: '2000',
      ...(options.databaseUrl !== undefined && { DATABASE_URL: options.databaseUrl }),
    },
    ...(options.nodes !== undefined && { nodes: options.nodes }),
  })
  try {
    const load = await prepare(stage)
    wire.set(true)
    const running = load.start(random)
    for (let kill = 1; kill <= options.kills; kill += 1) {
      await oneRound(stage, random)
      const node = stage.nodes[kill % stage.nodes.length] ?? stage.bridge
      await node.kill()
      await node.start()
      if (kill % 10 === 0)
        options.log?.(`kill ${kill}: ${load.inbound.length} in, ${load.outbound.length} out`)
    }
    wire.set(false)
    stage.ghl.faults.clear()
    load.stop()
    await running
    await settled(stage, load)
    return {
      kills: options.kills,
      ...verdicts(stage, load),
      oddities: odd(stage),
      output: outputOf(stage),
    }
  } finally {
    wire.stop()
    await stage.strike()
  }
}

/** Some time of life with troubles; the kill then comes at any moment of any step. */
async function oneRound({ ghl, whatsapp }: Stage, random: Random): Promise<void> {
  // Every other life gets as far as its work, however slow the machine is.
  if (random.chance(0.5)) await whatsapp.waitForCompanion(OWNER, true, TAKEN_OVER_MS)
  const untilMs = Date.now() + random.between(200, 1_800)
  while (Date.now() < untilMs) {
    if (random.chance(0.3)) troubleGhl(ghl, random)
    if (random.chance(0.05) && whatsapp.stats().companions.some(({ connected }) => connected))
      whatsapp.disconnect(OWNER)
    await sleep(random.between(20, 120))
  }
}

interface Chat {
  readonly phone: string
  readonly contactId: string
}

class Load {
  readonly inbound: Sent[] = []
  readonly outbound: Sent[] = []
  readonly #stage: Stage
  readonly #chats: readonly Chat[]
  readonly locationId: string
  #stopped = false

  constructor(stage: Stage, locationId: string, chats: readonly Chat[]) {
    this.#stage = stage
    this.locationId = locationId
    this.#chats = chats
  }

  get chats(): readonly Chat[] {
    return this.#chats
  }

  async start(random: Random): Promise<void> {
    const seeds = this.#chats.map(() => random.between(0, 2 ** 31))
    await Promise.all(
      this.#chats.flatMap((chat, index) => [
        this.#customer(chat, new Random(seeds[index] ?? 0)),
        this.#agent(chat, new Random((seeds[index] ?? 0) + 1)),
      ]),
    )
  }

  stop(): void {
    this.#stopped = true
  }

  async #customer({ phone }: Chat, random: Random): Promise<void> {
    for (let count = 1; !this.#stopped; count += 1) {
      const mark = await this.#stage.whatsapp.send(phone, { to: OWNER, text: `customer ${phone} ${count}` })
      this.inbound.push({ chat: phone, mark })
      await sleep(random.between(400, 1_600))
      await this.#hasRoom(phone)
    }
  }

  /** A customer stops for breath when much of what he wrote is still on its way: the load is what the machine can carry. */
  async #hasRoom(phone: string): Promise<void> {
    const { ghl } = this.#stage
    const early = this.inbound.filter(({ chat }) => chat === phone).at(-MOST_ON_THE_WAY)?.mark
    const isThere = () => ghl.messages(this.locationId).some(({ altId }) => altId === early)
    while (early !== undefined && !this.#stopped && !isThere()) await sleep(100)
  }

  async #agent({ phone, contactId }: Chat, random: Random): Promise<void> {
    const { ghl } = this.#stage
    for (let count = 1; !this.#stopped; count += 1) {
      const mark = `agent ${phone} ${count}`
      const { messageId } = ghl.agentReply({ locationId: this.locationId, contactId, message: mark })
      this.outbound.push({ chat: phone, mark })
      await handedOver(ghl, messageId)
      await sleep(random.between(400, 1_600))
    }
  }
}

/** GHL repeats a delivery until it is accepted; its own order between two of them is nobody's promise. */
async function handedOver(ghl: Stage['ghl'], messageId: string): Promise<void> {
  const posts = () => ghl.posts().findLast((post) => post.messageId === messageId)
  let post = posts()
  while (post?.state !== 'accepted') {
    await sleep(30)
    post ??= posts()
  }
}

/** Pairs the number and lets every customer write once, so that contacts exist. */
async function prepare(stage: Stage): Promise<Load> {
  stage.whatsapp.addAccount({ phone: OWNER, name: 'Dental Care' })
  const locationId = stage.ghl.addLocation({ name: 'Dental Care' }).id
  for (const node of stage.nodes) await node.start()
  await stage.install(locationId)
  await stage.pair(locationId, OWNER)
  const chats: Chat[] = []
  for (let index = 1; index <= CHATS; index += 1) {
    const phone = `1555123${String(index).padStart(4, '0')}`
    stage.whatsapp.addAccount({ phone, name: `Customer ${index}` })
    const id = await stage.whatsapp.send(phone, { to: OWNER, text: `customer ${phone} 0` })
    const message = await stage.ghl.waitForMessage(({ altId }) => altId === id, { locationId })
    chats.push({ phone, contactId: message.contactId })
  }
  return new Load(stage, locationId, chats)
}

async function settled(stage: Stage, load: Load): Promise<void> {
  let missing = Infinity
  let deadline = 0
  while (missing > 0) {
    const { inbound, outbound } = verdicts(stage, load)
    const now = inbound.lost.length + outbound.lost.length
    if (now < missing) deadline = Date.now() + STILLNESS_MS
    else if (Date.now() > deadline) break
    missing = now
    await sleep(500)
  }
  // What would come twice comes now.
  await sleep(3_000)
}

function verdicts(stage: Stage, load: Load): { inbound: Verdict; outbound: Verdict } {
  const byChat = new Map(load.chats.map(({ phone, contactId }) => [contactId, phone]))
  const inGhl = stage.ghl
    .messages(load.locationId)
    .filter(({ direction, altId }) => direction === 'inbound' && altId !== undefined)
  const inbound = Map.groupBy(inGhl, ({ contactId }) => byChat.get(contactId) ?? contactId)
  const outbound = load.chats.map(
    ({ phone }) =>
      [
        phone,
        stage.whatsapp
          .messages(phone)
          .flatMap(({ fromMe, text }) => (fromMe || text === undefined ? [] : [text])),
      ] as const,
  )
  return {
    inbound: judge(
      load.inbound,
      new Map([...inbound].map(([chat, messages]) => [chat, messages.map(({ altId }) => altId ?? '')])),
    ),
    outbound: judge(load.outbound, new Map(outbound)),
  }
}

const outputOf = ({ nodes }: Stage): string => nodes.map(({ output }) => output).join('')

const odd = ({ whatsapp, ghl }: Stage): string[] => [
  ...Object.keys(whatsapp.stats().unknownStanzas),
  ...ghl.stats().oddities.map(({ kind, detail }) => `${kind} ${detail}`),
]
