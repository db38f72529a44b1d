/** The console's lists where there is much: thousands of runs and locations, a long audit, messages by the hundred. */
import pg from 'pg'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Stage } from '../../sandbox/stage.ts'
import { barriers, fits, type Look, type OpenBrowser, openBrowser } from '../support/browser.ts'
import { freshDatabase, type TestDatabase } from '../support/postgres.ts'

const OWNER = '15550008888'
const API_KEY = 'operator-key-of-the-lists-test'
const DESK: Look = { width: 1_280, height: 900, timezoneId: 'America/Mexico_City' }
const PLENTY = { max: 20_000, intervalMs: 10_000, perDay: 2_000_000, window: 'fixed' } as const
const RUNS = 1_203
/** Whose run was interrupted. */
const CUT_OFF = 7

describe('the console where there is much', () => {
  let database: TestDatabase
  let stage: Stage
  let browser: OpenBrowser
  let client: pg.Client
  let dental: string

  beforeAll(async () => {
    database = await freshDatabase()
    stage = await Stage.set({ env: { API_KEY, DATABASE_URL: database.url }, ghl: { rateLimit: PLENTY } })
    stage.whatsapp.addAccount({ phone: OWNER, name: 'Dental Care' })
    dental = stage.ghl.addLocation({ name: 'Dental Care', timezone: 'Asia/Tokyo' }).id
    await stage.bridge.start()
    await stage.install(dental)
    await stage.pair(dental, OWNER)
    client = new pg.Client({ connectionString: database.url })
    await client.connect()
    await client.query(
      `insert into bridge.ghl_accounts (id, location_id, company_id, user_type, status, scopes, location_name,
         company_name, access_token, refresh_token, token_expires_at)
       select 'inst-' || n, 'many-' || n, company_id, user_type, status, scopes, 'Clinic ' || lpad(n::text, 4, '0'),
         'Agency of many', access_token, refresh_token, now() + interval '20 hours'
       from bridge.ghl_accounts, generate_series(1, ${RUNS}) n where location_id = $1`,
      [dental],
    )
    await client.query(
      `insert into bridge.sync_status (kind, scope, state, until, total, done, message, started_at, finished_at, updated_at)
       select 'call-logs', 'many-' || n,
         case when n % 300 = 0 then 'failed' else 'done' end, null, 10, 10,
         case when n % 300 = 0 then '10 calls were stored, then: GHL does not answer' end,
         now() - n * interval '1 minute', now() - n * interval '1 minute', now() - n * interval '1 minute'
       from generate_series(1, ${RUNS}) n where n <> ${CUT_OFF}`,
    )
    await client.query(`insert into bridge.sync_status (kind, scope, state, total, done, updated_at) values
      ('token_check', 'daily', 'done', 62, 62, now() - interval '2 days'),
      ('token_refresh', 'weekly', 'done', 9, 9, now() - interval '3 days')`)
    // Of a kind that this server does not go on with by itself.
    await client.query(`insert into bridge.sync_status (kind, scope, state, until, updated_at)
      values ('token_refresh', 'many-${CUT_OFF}', 'running', now() - interval '1 hour', now() - interval '1 hour')`)
    browser = await openBrowser()
  }, 60_000)
  afterEach(() => browser.clear())
  afterAll(async () => {
    await browser.close()
    await client.end()
    await stage.strike()
    await database.drop()
  })

  async function open(place: string, look: Look = DESK) {
    const watched = await browser.page(look)
    const { page } = watched
    await page.goto(`${stage.bridge.url}/console#/${place}`)
    await page.locator('input[type=password]').fill(API_KEY)
    await page.locator('form button, button.wide').first().click()
    await page.locator('nav.places').waitFor()
    return watched
  }
  const rowsOf = (page: Page) => page.locator('ul.rows > li')

  describe('long work', () => {
    /** Holds the interrupted run: the bridge looks for such ones now and then, and would end it. */
    let holder: pg.Client

    beforeAll(async () => {
      holder = new pg.Client({ connectionString: database.url })
      await holder.connect()
      for (let isHeld = false; !isHeld; ) {
        await holder.query(
          `update bridge.sync_status set state = 'running', until = now() - interval '1 hour' where scope = 'many-7'`,
        )
        await holder.query('begin')
        const { rowCount } = await holder.query(
          `select from bridge.sync_status where scope = 'many-7' and state = 'running' and until < now() for update`,
        )
        isHeld = rowCount === 1
        if (!isHeld) await holder.query('rollback')
      }
    })
    afterAll(async () => {
      await holder.end()
    })

    it('is one line for a thousand runs of a kind, with those that went wrong named first', async () => {
      const { page, complaints } = await open('syncs')
      const group = page.locator('[data-sync-kind=call-logs]')
      await group.getByText('1,202 runs').waitFor()
      await group.getByText('4 need a look').waitFor()
      expect(await group.getAttribute('class')).toBe('trouble')
      expect(await rowsOf(page).first().getAttribute('data-sync-kind')).toBe('call-logs')
      // The others are not drowned.
      await page.locator('[data-sync=done]').filter({ hasText: 'Token check' }).waitFor()
      await page.locator('[data-sync=done]').filter({ hasText: 'Weekly' }).waitFor()
      expect(await rowsOf(page).count()).toBeLessThan(10)
      await browser.keep(page, 'console-long-work')
      await group.getByRole('button', { name: /^Failed/ }).click()
      await page.getByText('4 runs', { exact: true }).waitFor()
      expect(await page.locator('[data-sync=failed].trouble').count()).toBe(4)
      await page.getByRole('link', { name: 'Clinic 0300' }).waitFor()
      await page.getByText('10 calls were stored, then: GHL does not answer.').first().waitFor()
      await browser.keep(page, 'console-long-work-failed')
      expect(await barriers(page)).toEqual([])
      expect(complaints).toEqual([])
    })

    it('is reached to its last run by pages', async () => {
      const { page } = await open('syncs')
      await page.getByRole('button', { name: /^Voice AI call logs/ }).click()
      const seen = new Set<string>()
      const next = page.getByRole('button', { name: 'Next' })
      for (;;) {
        await page.locator('[data-sync] a').first().waitFor()
        const names = await page.locator('[data-sync] a').allTextContents()
        for (const name of names) seen.add(name)
        if (await next.isDisabled()) break
        const [first = ''] = names
        await next.click()
        await page.getByRole('link', { name: first, exact: true }).waitFor({ state: 'detached' })
      }
      expect(seen.size).toBe(RUNS - 1)
    }, 60_000)

    it('is that of one location, found by its name', async () => {
      const { page } = await open('syncs')
      await page.getByRole('searchbox').fill(`clinic 000${CUT_OFF}`)
      await page.getByRole('button', { name: `Clinic 000${CUT_OFF}` }).click()
      await page.locator('[data-sync=interrupted]').getByText('Interrupted').waitFor()
      await expect.poll(() => page.locator('[data-sync]').count()).toBe(1)
      expect(page.url()).toContain(`#/syncs/many-${CUT_OFF}`)
      await page.getByRole('link', { name: 'Show all locations' }).click()
      await page.locator('[data-sync-kind=call-logs]').waitFor()
    })
  })

  describe('the audit', () => {
    beforeAll(async () => {
      await client.query(`insert into bridge.service_keys (id, name, scopes, key_hash, revoked_at)
        values ('key-1', 'Shop backend', '{proxy:write}', 'hash-1', now())`)
      await client.query(
        `insert into bridge.audit (at, caller_kind, caller_id, action, location_id, target, outcome)
         select now() - interval '1 day', 'service', 'key-1', 'POST /api/ghl/location/:locationId/proxy/*', 'many-' || n,
           'POST /contacts/', case when n % 2 = 0 then '403' else '201' end
         from generate_series(1, 130) n`,
      )
      await client.query(
        `insert into bridge.audit (caller_kind, caller_id, action, location_id, target, outcome) values
           ('page', 'user-9', 'PUT /ghl/location/:locationId/settings', $1, null, '200'),
           ('operator', null, 'DELETE /api/keys/:id', null, 'key-1', '204')`,
        [dental],
      )
    })

    it.each([
      [
        'en-US',
        'Operator: Revoke the service key Shop backend',
        'Key Shop backend: Call GoHighLevel: POST /contacts/ for Clinic 0130',
        'Refused',
      ],
      [
        'es-MX',
        'Operador: Revocar la clave de servicio Shop backend',
        'Clave Shop backend: Llamar a GoHighLevel: POST /contacts/ para Clinic 0130',
        'Rechazado',
      ],
      [
        'pt-BR',
        'Operador: Revogar a chave de serviço Shop backend',
        'Chave Shop backend: Chamar o GoHighLevel: POST /contacts/ para Clinic 0130',
        'Recusado',
      ],
    ])('says in %s who did what, where and how it ended', async (locale, revoked, called, refused) => {
      const { page } = await open('audit', { ...DESK, locale })
      await page.getByText(revoked).waitFor()
      const row = rowsOf(page).filter({ hasText: called })
      await row.getByText(refused).waitFor()
      await row.getByText('(403)').waitFor()
      expect(await page.locator('ul.audit').textContent()).not.toMatch(/\/:|DELETE|PATCH/)
    })

    it('shows more until its beginning, and what is new meanwhile above', async () => {
      const { page, complaints } = await open('audit')
      await rowsOf(page).first().waitFor()
      const more = page.getByRole('button', { name: 'Show more' })
      while (await more.isVisible()) {
        const before = await rowsOf(page).count()
        await more.click()
        await expect.poll(() => rowsOf(page).count()).toBeGreaterThan(before)
      }
      const before = await rowsOf(page).count()
      expect(before).toBeGreaterThan(130)
      await client.query(
        `insert into bridge.audit (caller_kind, action, target, outcome) values ('operator', 'POST /api/keys', 'key-1', '201')`,
      )
      // The console looks again by itself.
      await page.getByText('Make the service key Shop backend').waitFor({ timeout: 25_000 })
      expect(await rowsOf(page).count()).toBe(before + 1)
      await browser.keep(page, 'console-audit')
      expect(complaints).toEqual([])
    }, 60_000)

    it('is that of one location, by name or by id', async () => {
      const { page } = await open('audit')
      await page.getByRole('searchbox').fill(dental)
      await page.getByRole('button', { name: /^Dental Care/ }).click()
      await page.getByText('Person in GoHighLevel (user-9): Change the settings for Dental Care').waitFor()
      await expect.poll(() => page.locator('ul.audit').textContent()).not.toContain('Clinic')
      await page.getByRole('link', { name: 'Show all locations' }).click()
      await page.getByRole('searchbox').fill('clinic 0044')
      await page.getByRole('button', { name: /^Clinic 0044/ }).click()
      await page.getByText('for Clinic 0044').waitFor()
      await expect.poll(() => rowsOf(page).count()).toBe(1)
    })
  })

  describe('the dialog for a key', () => {
    it('explains every scope, and makes one key for each of the locations that were searched', async () => {
      const { page, complaints } = await open('keys')
      await page.getByRole('button', { name: 'New key' }).click()
      const dialog = page.getByRole('dialog', { name: 'New key' })
      await dialog.getByText('Give it rarely').waitFor()
      await dialog.getByText('All locations', { exact: true }).waitFor()
      await dialog.getByLabel('Name', { exact: true }).fill('Reports')
      const search = dialog.getByRole('searchbox')
      await search.fill('clinic 0')
      await dialog.getByText(/^991 more/).waitFor()
      await browser.keep(page, 'console-new-key')
      expect(await barriers(page)).toEqual([])
      await search.fill('many-77')
      await dialog.getByRole('button', { name: /^Clinic 0077/ }).click()
      await search.fill('Clinic 0078')
      await dialog.getByRole('button', { name: /^Clinic 0078/ }).click()
      await search.fill('Clinic 0079')
      await dialog.getByRole('button', { name: /^Clinic 0079/ }).click()
      await dialog.getByRole('button', { name: 'Take Clinic 0078 out' }).click()
      await dialog.getByRole('checkbox', { name: /^See locations/ }).check()
      await dialog.getByRole('button', { name: 'Make 2 keys' }).click()
      const key = await dialog.getByLabel('Reports · Clinic 0077').inputValue()
      await dialog.getByLabel('Reports · Clinic 0079').waitFor()
      const use = async (locationId: string) => {
        const headers = { authorization: `Bearer ${key}` }
        const url = `${stage.bridge.url}/api/ghl/locations?locationId=${locationId}`
        return (await fetch(url, { headers })).status
      }
      expect([await use('many-77'), await use('many-78')]).toEqual([200, 403])
      await page.getByRole('button', { name: 'Close' }).click()
      const row = page.locator('[data-key="Reports · Clinic 0079"]')
      await row.getByRole('link', { name: 'Clinic 0079' }).waitFor()
      await row.getByText('See locations').waitFor()
      await browser.keep(page, 'console-keys')
      expect(complaints).toEqual([])
    })
  })

  describe('times', () => {
    it('are by the reader’s clock in lists and by the location’s own in its view, and each says so', async () => {
      const { page } = await open('syncs')
      await page.getByText('Times by your clock: America/Mexico City (GMT-6)').waitFor()
      await page.locator('time', { hasText: 'CST' }).first().waitFor()
      await page.goto(`${stage.bridge.url}/console#/locations/${dental}`)
      await page.getByText('Times by the location’s clock, not yours: Asia/Tokyo (GMT+9)').waitFor()
      const facts = page.locator('dl.facts')
      await facts
        .getByText(/GMT\+9/)
        .first()
        .waitFor()
      expect(await facts.textContent()).not.toContain('CST')
      const contactId = stage.ghl.contacts.add(dental, { phone: `+${OWNER}1` }).id
      const { messageId } = stage.ghl.agentReply({
        locationId: dental,
        contactId,
        message: 'What time is it?',
      })
      const shown = page.locator(`[data-message="${messageId}"] time`).first()
      await shown.waitFor()
      const iso = (await shown.getAttribute('datetime')) ?? ''
      const tokyo = new Date(iso).toLocaleTimeString('en-US', {
        timeZone: 'Asia/Tokyo',
        hour: 'numeric',
        minute: '2-digit',
      })
      expect(await shown.textContent()).toBe(tokyo)
    })
  })

  describe('messages that wait for a word', () => {
    it('are discarded all, not only those on the page, after a question that says how many', async () => {
      await client.query(
        `insert into bridge.messages (id, location_id, direction, origin, kind, state, from_me, content, ghl_message_id, part_no)
         select 'held-' || n, 'many-' || (n % 3 + 1), 'outbound', 'ghl', 'text', 'held', true, 'sealed', 'gm-' || n, 0
         from generate_series(1, 130) n`,
      )
      const { page, complaints } = await open('messages')
      await page.getByRole('button', { name: /^Held/ }).click()
      await page.getByRole('button', { name: 'Discard all 130' }).click()
      const dialog = page.getByRole('dialog', { name: 'Discard all 130' })
      await dialog.getByText('130 messages are dropped for good. They are of 3 locations.').waitFor()
      await browser.keep(page, 'console-discard-all')
      // One that comes while the question stands is not what was asked about.
      await client.query(
        `insert into bridge.messages (id, location_id, direction, origin, kind, state, from_me, content, ghl_message_id, part_no)
         values ('held-later', 'many-1', 'outbound', 'ghl', 'text', 'held', true, 'sealed', 'gm-later', 0)`,
      )
      await dialog.getByRole('button', { name: 'Cancel' }).click()
      expect(await left()).toBe(131)
      await page.getByRole('button', { name: 'Discard all 131' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Yes, discard the 131' }).click()
      await page.getByRole('dialog').getByText('131 messages are done.').waitFor()
      await page.getByRole('dialog').getByRole('button', { name: 'Done' }).click()
      await page.getByText('Nothing needs you.').waitFor()
      expect(await left()).toBe(0)
      expect(complaints).toEqual([])
    }, 60_000)

    it('are sent again in one location, and left alone in the others', async () => {
      const phones = ['15557771001', '15557771002', '15557771003']
      const contacts = phones.map((phone) => stage.ghl.contacts.add(dental, { phone: `+${phone}` }).id)
      for (const contactId of contacts)
        stage.ghl.agentReply({ locationId: dental, contactId, message: `To ${contactId}` })
      await client.query(
        `insert into bridge.messages (id, location_id, direction, origin, kind, state, from_me, content, ghl_message_id, part_no)
         select 'dead-' || n, 'many-1', 'outbound', 'ghl', 'text', 'failed', true, 'sealed', 'gd-' || n, 0
         from generate_series(1, 2) n`,
      )
      const { page } = await open(`messages/${dental}`)
      // The one of the test before was for a number without WhatsApp, too.
      const again = page.getByRole('button', { name: /^Try all \d dead ones again/ })
      await expect.poll(() => again.textContent(), { timeout: 30_000 }).toContain('4')
      for (const phone of phones) stage.whatsapp.addAccount({ phone, name: phone })
      await again.click()
      await page.getByRole('dialog').getByText('4 messages go out, the oldest first. What comes').waitFor()
      await page.getByRole('button', { name: 'Send the 4' }).click()
      await page.getByRole('dialog').getByText('4 messages are done.').waitFor()
      for (const [index, phone] of phones.entries())
        await stage.whatsapp.waitForMessage(phone, ({ text }) => text === `To ${contacts[index]}`, 30_000)
      const { rows } = await client.query<{ many: string }>(
        `select count(*) as many from bridge.messages where location_id = 'many-1' and state = 'failed'`,
      )
      expect(rows[0]?.many).toBe('2')
      await page.getByRole('button', { name: 'Done' }).click()
      await page
        .getByRole('navigation', { name: 'Parts of the console' })
        .getByRole('link', { name: 'Audit' })
        .click()
      await page.getByText('Send all that waited again: 4 (Dead) for Dental Care').waitFor()
    }, 90_000)

    it('say what stopped them half way, and what was done until then', async () => {
      await client.query(
        `insert into bridge.messages (id, location_id, direction, origin, kind, state, from_me, content, ghl_message_id, part_no)
         select 'half-' || n, 'many-2', 'outbound', 'ghl', 'text', 'held', true, 'sealed', 'gh-' || n, 0
         from generate_series(1, 120) n`,
      )
      const { page } = await open('messages/many-2')
      let calls = 0
      await page.route('**/api/messages/discard', async (route) => {
        calls += 1
        if (calls === 2)
          await route.fulfill({ status: 503, json: { error: { code: 'STORE_UNAVAILABLE', message: 'no' } } })
        else await route.continue()
      })
      await page.getByRole('button', { name: /^Held/ }).click()
      await page.getByRole('button', { name: 'Discard all 120' }).click()
      await page.getByRole('button', { name: 'Yes, discard the 120' }).click()
      const dialog = page.getByRole('dialog')
      await dialog.getByRole('alert').getByText('The database could not be reached').waitFor()
      await dialog.getByText('100 of 120').waitFor()
      await dialog.getByRole('button', { name: 'Done' }).click()
      await page.getByRole('button', { name: 'Discard all 20' }).waitFor()
    })

    it('are done no further once the dialog is closed', async () => {
      await client.query(
        `insert into bridge.messages (id, location_id, direction, origin, kind, state, from_me, content, ghl_message_id, part_no)
         select 'stop-' || n, 'many-3', 'outbound', 'ghl', 'text', 'held', true, 'sealed', 'gs-' || n, 0
         from generate_series(1, 320) n`,
      )
      const { page } = await open('messages/many-3')
      const second = Promise.withResolvers<void>()
      let calls = 0
      await page.route('**/api/messages/discard', async (route) => {
        calls += 1
        if (calls === 2) await second.promise
        await route.continue()
      })
      await page.getByRole('button', { name: /^Held/ }).click()
      await page.getByRole('button', { name: 'Discard all 320' }).click()
      const dialog = page.getByRole('dialog')
      await page.getByRole('button', { name: 'Yes, discard the 320' }).click()
      await dialog.getByText('100 of 320').waitFor()
      await dialog.getByRole('button', { name: 'Stop' }).click()
      await dialog.waitFor({ state: 'detached' })
      const answered = page.waitForResponse('**/api/messages/discard')
      second.resolve()
      await (await answered).finished()
      await page.getByRole('button', { name: 'Discard all 120' }).waitFor()
      expect(calls).toBe(2)
    })

    const left = async (): Promise<number> => {
      const { rows } = await client.query<{ many: string }>(
        `select count(*) as many from bridge.messages where state = 'held' and discarded_at is null`,
      )
      return Number(rows[0]?.many)
    }
  })

  it.each(['en-US', 'es-MX', 'pt-BR'])('fits a phone in %s, its title whole', async (locale) => {
    const { page } = await open('audit', { ...DESK, width: 360, locale })
    await rowsOf(page).first().waitFor()
    for (const place of ['audit', 'messages', 'syncs', 'keys']) {
      await page.goto(`${stage.bridge.url}/console#/${place}`)
      await page.locator('ul.rows > li').first().waitFor()
      expect([place, await fits(page)]).toEqual([place, true])
    }
    const isCut = await page.locator('.head h1').evaluate((title) => title.scrollWidth > title.clientWidth)
    expect(isCut).toBe(false)
  })

  it.each(['en-US', 'es-MX', 'pt-BR'])(
    'shows the chosen language whole on a phone, in %s',
    async (locale) => {
      const { page } = await open('setup', { ...DESK, width: 360, locale })
      const choice = page.locator('select.language')
      const width = () => choice.evaluate((select) => select.getBoundingClientRect().width)
      const shown = await width()
      await choice.evaluate((select) => {
        select.style.width = 'max-content'
      })
      expect(shown).toBe(await width())
      await browser.keep(page, `language-${locale}`)
      expect(await page.locator('.head h1').evaluate((title) => title.scrollWidth > title.clientWidth)).toBe(
        false,
      )
      expect(await fits(page)).toBe(true)
    },
  )

  it.each([
    ['phone', 'light', 360],
    ['phone', 'dark', 360],
    ['desk', 'dark', 1_280],
  ] as const)('fits a %s in %s and keeps nobody out, dialogs too', async (name, colorScheme, width) => {
    const { page } = await open('syncs', { ...DESK, width, colorScheme })
    const check = async (what: string) => {
      expect([what, await fits(page)]).toEqual([what, true])
      expect([what, await barriers(page)]).toEqual([what, []])
      await browser.keep(page, `console-many-${name}-${colorScheme}-${what}`)
    }
    await page.locator('[data-sync-kind]').waitFor()
    await check('long-work')
    await page.goto(`${stage.bridge.url}/console#/keys`)
    await page.getByRole('button', { name: 'New key' }).click()
    await page.getByRole('dialog').getByRole('searchbox').fill('clinic 01')
    await page
      .getByRole('dialog')
      .getByText(/more: type/)
      .waitFor()
    await check('new-key')
    await page.getByRole('button', { name: 'Close' }).click()
    await page.goto(`${stage.bridge.url}/console#/locations/${dental}`)
    await page.getByRole('heading', { name: 'Numbers' }).waitFor()
    await check('location')
    await page.goto(`${stage.bridge.url}/console#/messages`)
    await page.locator('#letters').waitFor()
    await page.getByRole('searchbox').fill('clinic 02')
    await page.locator('.found').waitFor()
    await check('messages')
  })
})
