/** Many messages on the location page: what is done to all of them, and how the far end of a long list is reached. */
import pg from 'pg'
import type { FrameLocator } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Stage } from '../../sandbox/stage.ts'
import { barriers, fits, type Look, type OpenBrowser, openBrowser } from '../support/browser.ts'
import { deliverLate } from '../support/late-delivery.ts'
import { freshDatabase, type TestDatabase } from '../support/postgres.ts'

const OWNER = '15550009999'
const ANA = '15551230001'
const NOBODY = '15551239999'
const DESK: Look = { width: 1_180, height: 900 }
/** More than the API gives at once, twice over. */
const MANY = 450

describe('on the location page', () => {
  let database: TestDatabase
  let stage: Stage
  let browser: OpenBrowser
  let locationId: string
  let ana: string

  beforeAll(async () => {
    database = await freshDatabase()
    stage = await Stage.set({ env: { DATABASE_URL: database.url } })
    stage.whatsapp.addAccount({ phone: OWNER, name: 'Dental Care' })
    stage.whatsapp.addAccount({ phone: ANA, name: 'Ana' })
    locationId = stage.ghl.addLocation({ name: 'Dental Care' }).id
    ana = stage.ghl.contacts.add(locationId, { phone: `+${ANA}` }).id
    await stage.bridge.start()
    await stage.install(locationId)
    await stage.pair(locationId, OWNER)
    browser = await openBrowser()
  }, 60_000)
  afterEach(() => browser.clear())
  afterAll(async () => {
    await browser.close()
    await stage.strike()
    await database.drop()
  })

  async function open(look: Look = DESK) {
    const { page, complaints } = await browser.page(look)
    await page.goto(stage.customPage(locationId))
    const app = page.frameLocator('iframe')
    await app.locator('#numbers').waitFor()
    const frame = page.frames().find((each) => each.url().includes('/app'))
    if (frame === undefined) throw new Error('GHL shows no frame')
    return { page, app, frame, complaints }
  }
  const rows = (app: FrameLocator, list: string) =>
    app.locator(`section[aria-labelledby=${list}] [data-message]`)
  const badge = (app: FrameLocator) => app.locator('#needed .badge').textContent()
  const late = (message: string) => deliverLate(stage, { locationId, contactId: ana, message })
  const arrivedAtAna = () =>
    stage.whatsapp.messages(ANA).flatMap(({ text, fromMe }) => (fromMe || text === undefined ? [] : [text]))
  async function stateOf(ghlMessageId: string): Promise<string | undefined> {
    const answer = await stage.bridge.operator('GET', `/api/messages?locationId=${locationId}&limit=200`)
    const { messages } = (await answer.json()) as {
      messages: { ghlMessageId: string | null; state: string }[]
    } // our own contract
    return messages.find((each) => each.ghlMessageId === ghlMessageId)?.state
  }
  async function sql<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    try {
      return (await client.query<Row>(text, values)).rows
    } finally {
      await client.end()
    }
  }

  it('sends all that is held only when it is meant, in their order, and none that was held meanwhile', async () => {
    for (const text of ['held 1', 'held 2', 'held 3']) await late(text)
    const { app, page, frame } = await open()
    await app.getByRole('button', { name: 'Send all 3 held' }).click()
    const dialog = app.getByRole('dialog', { name: 'Send all 3 held' })
    await dialog.getByText('3 messages go out, the oldest first.').waitFor()
    await browser.keep(page, 'location-send-all')
    expect(await barriers(frame)).toEqual([])
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await dialog.waitFor({ state: 'detached' })
    expect(await badge(app)).toBe('3')
    expect(arrivedAtAna()).toEqual([])

    await app.getByRole('button', { name: 'Send all 3 held' }).click()
    await dialog.waitFor()
    const fourth = await late('held 4')
    await expect.poll(() => badge(app)).toBe('4')
    await dialog.getByRole('button', { name: 'Send the 3' }).click()
    await app.getByRole('dialog').getByText('3 messages are done.').waitFor()
    await app.getByRole('button', { name: 'Done' }).click()
    await stage.whatsapp.waitForMessage(ANA, ({ text }) => text === 'held 3', 20_000)
    expect(arrivedAtAna()).toEqual(['held 1', 'held 2', 'held 3'])
    expect(await stateOf(fourth)).toBe('held')
    await expect.poll(() => badge(app)).toBe('1')
    // One alone has its own button.
    expect(await app.getByRole('button', { name: /^(Send|Discard) all/ }).count()).toBe(0)
  }, 60_000)

  it('discards all only when it is meant, the held ones too, and says how many of them could still go', async () => {
    const nobody = stage.ghl.contacts.add(locationId, { phone: `+${NOBODY}` }).id
    const dead = stage.ghl.agentReply({ locationId, contactId: nobody, message: 'Hello?' }).messageId
    await stage.ghl.waitForStatus(dead, 'failed', 20_000)
    const { app, page } = await open()
    await expect.poll(() => badge(app)).toBe('2')
    await app.getByRole('button', { name: 'Discard all 2' }).click()
    const dialog = app.getByRole('dialog')
    await dialog.getByText('2 messages are dropped for good.').waitFor()
    await dialog.getByText('1 of them is held and could still be sent.').waitFor()
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    expect(await app.locator(':focus').textContent()).toBe('Discard all 2')
    await expect.poll(async () => [await stateOf(dead), await badge(app)]).toEqual(['failed', '2'])

    let asked = 0
    await page.route('**/api/messages/discard', async (route) => {
      const error = { code: 'TOO_MANY_REQUESTS', message: 'no', action: null }
      asked += 1
      if (asked === 1) await route.fulfill({ status: 429, json: { error } })
      else await route.continue()
    })
    await app.getByRole('button', { name: 'Discard all 2' }).click()
    await dialog.getByRole('button', { name: 'Yes, discard the 2' }).click()
    // What was refused for coming too fast is not given up.
    await dialog.getByText('2 messages are done.').waitFor()
    expect(asked).toBe(2)
    await dialog.getByRole('button', { name: 'Done' }).click()
    await app.locator('#needed').waitFor({ state: 'detached' })
    await rows(app, 'latest').filter({ hasText: 'Discarded' }).nth(1).waitFor()
    expect(arrivedAtAna()).not.toContain('held 4')
  }, 60_000)

  it('reaches the last of hundreds of messages in a list, however many its owner was shown before', async () => {
    const nobody = stage.ghl.contacts.add(locationId, { phone: `+${NOBODY}` }).id
    const dead = stage.ghl.agentReply({ locationId, contactId: nobody, message: 'Still nobody?' }).messageId
    await stage.ghl.waitForStatus(dead, 'failed', 20_000)
    await expect.poll(() => stateOf(dead)).toBe('failed')
    // Copies of a message that really died, each of its own minute.
    const columns = (
      await sql<{ name: string }>(
        `select column_name as name from information_schema.columns where table_schema = 'bridge'
           and table_name = 'messages' and is_identity = 'NO'
           and column_name not in ('id', 'ghl_message_id', 'wa_message_id', 'created_at')`,
      )
    ).map(({ name }) => name)
    await sql(
      `insert into bridge.messages (id, ghl_message_id, created_at, ${columns.join(', ')})
       select gen_random_uuid(), 'copy-' || n, created_at + n * interval '1 minute', ${columns.join(', ')}
       from bridge.messages, generate_series(2, ${MANY}) n where ghl_message_id = $1 order by n`,
      [dead],
    )
    const { app, frame, complaints } = await open()
    await expect.poll(() => badge(app)).toBe(String(MANY))
    for (const list of ['needed', 'latest']) {
      const more = app.locator(`section[aria-labelledby=${list}]`).getByRole('button', { name: 'Show more' })
      await expect
        .poll(
          async () => {
            // At once where it is there: it may be gone by the time that a pointer has come to it.
            await more.evaluateAll((buttons) => {
              for (const button of buttons) if ('click' in button) button.click()
            })
            return [await rows(app, list).count(), await more.count()]
          },
          { timeout: 50_000 },
        )
        // All that is needed stands above, so the latest are those of the tests before.
        .toEqual(list === 'needed' ? [MANY, 0] : [5, 0])
      const ids = await rows(app, list).evaluateAll(
        (lines: { dataset: Record<string, string | undefined> }[]) =>
          lines.map(({ dataset }) => dataset['message']),
      )
      expect(new Set(ids).size).toBe(ids.length)
      if (list === 'needed') expect([ids[0], ids.at(-1)]).toEqual([dead, `copy-${MANY}`])
    }
    // One that is far down the list is as live as the first.
    const last = app.locator(`[data-message="copy-${MANY}"]`)
    await last.getByRole('button', { name: 'Discard' }).click()
    await last.getByRole('button', { name: 'Yes, discard' }).click()
    await expect.poll(() => badge(app)).toBe(String(MANY - 1))
    expect(await rows(app, 'needed').count()).toBe(MANY - 1)
    expect(await fits(frame)).toBe(true)
    expect(complaints).toEqual([])
  }, 120_000)
})
