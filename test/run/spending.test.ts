// The limits that statements of a run are held to, and what is counted of them.
import { expect, it } from 'vitest'
import { createSpending, metered, newMeter } from '../../src/run/spending.ts'
import { currentStep } from '../../src/warehouse/step.ts'

const spend = (bytes: number): string | undefined => {
  const step = currentStep()
  if (step?.meter) {
    step.meter.statements += 1
    step.meter.billedBytes += bytes
  }
  return step?.maximumBytesBilled
}

it('a budget is what is left of it for all that comes after, and never nothing at all', async () => {
  const spending = createSpending('r', 100)
  const meters = [newMeter(), newMeter(), newMeter()] as const
  const seen: unknown[] = []
  await spending.step({ name: 'a', meter: meters[0], limit: 60 }, async () => {
    seen.push(spend(30), spend(20), currentStep()?.maximumBytesBilled)
  })
  const failed = spending.step({ name: 'b', meter: meters[1] }, async () => {
    seen.push(spend(40))
    throw new Error('too dear')
  })
  await expect(failed).rejects.toThrow('too dear')
  await spending.step({ name: 'c', meter: meters[2] }, async () => {
    seen.push(spend(10), spend(0))
  })
  expect(seen).toEqual(['60', '50', '50', '10', '1', '1'])
  expect(meters.map(metered)).toEqual([
    { statements: 2, bytes_billed: 50 },
    { statements: 1, bytes_billed: 40 },
    { statements: 2, bytes_billed: 10 },
  ])
})

it('without a budget only the limit of the step holds, and what was not counted is not known', async () => {
  const spending = createSpending('r')
  const meter = newMeter()
  await spending.step({ name: 'a', meter }, async () => {
    expect(currentStep()).toEqual({ run: 'r', step: 'a', meter })
  })
  await spending.step({ name: 'b', meter, limit: 7 }, async () => {
    expect(currentStep()?.maximumBytesBilled).toBe('7')
  })
  expect(metered(meter)).toEqual({ statements: null, bytes_billed: null })
})
