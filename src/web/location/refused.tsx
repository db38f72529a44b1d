import type { Failure } from '../api/failure.ts'
import { Button } from '../parts/button.tsx'
import { failureWords } from '../parts/problem-words.ts'
import { useWords } from '../words/spoken.tsx'

/** The server wants to tell nothing more of this location: why, and the way to ask again. */
export function Refused({ refusal, again }: { refusal: Failure; again(): void }) {
  const { say, find } = useWords()
  return (
    <div class="problem" role="alert">
      <p>{failureWords(refusal, find)}</p>
      <Button kind="plain" act={async () => again()}>
        {say('again')}
      </Button>
    </div>
  )
}
