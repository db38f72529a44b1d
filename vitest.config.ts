import { configDefaults, defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

const hasLiveProject =
  process.env['SUPABASE_LIVE_URL'] !== undefined && process.env['SUPABASE_LIVE_KEY'] !== undefined

/** Chaos takes minutes: begun last, it is waited for by an idle core. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification): boolean => moduleId.includes('/test/chaos/')
    const sorted = await super.sort(files)
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...(hasLiveProject ? [] : ['test/live/**'])],
    globalSetup: ['test/support/global-setup.ts'],
    // Two cores: more workers only make every deadline less true.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // As long as waitFor: a second is a race when the machine is busy.
    expect: { poll: { timeout: 15_000 } },
  },
})
