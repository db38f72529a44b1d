import { configDefaults, defineConfig } from 'vitest/config'

const hasLiveProject =
  process.env['SUPABASE_LIVE_URL'] !== undefined && process.env['SUPABASE_LIVE_KEY'] !== undefined

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...(hasLiveProject ? [] : ['test/live/**'])],
    globalSetup: ['test/support/global-setup.ts'],
    // Two cores: more workers only make every deadline less true.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // As long as waitFor: a second is a race when the machine is busy.
    expect: { poll: { timeout: 15_000 } },
  },
})
