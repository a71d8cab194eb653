import type { Code } from './notice.ts'

type StepCode = Extract<Code, `STEP_${string}`>

/** The steps of a scenario, as the page and the command line name them. */
export const STEP_NAMES = {
  en: {
    STEP_SEND: '{peer} sends {content}',
    STEP_EXPECT: '{peer} gets {wanted}',
    STEP_SILENCE: '{peer} gets nothing for {ms} ms',
    STEP_WAIT: 'wait {ms} ms',
    STEP_OPEN: '{peer} opens',
    STEP_CLOSE: '{peer} closes',
    STEP_CONNECTED: '{peer} is connected',
    STEP_CLOSED: '{peer} is disconnected',
  },
  zh: {
    STEP_SEND: '{peer} 发送 {content}',
    STEP_EXPECT: '{peer} 收到 {wanted}',
    STEP_SILENCE: '{peer} 在 {ms} 毫秒内收不到数据',
    STEP_WAIT: '等待 {ms} 毫秒',
    STEP_OPEN: '{peer} 打开',
    STEP_CLOSE: '{peer} 关闭',
    STEP_CONNECTED: '{peer} 已连接',
    STEP_CLOSED: '{peer} 已断开',
  },
} as const satisfies Record<'en' | 'zh', Record<StepCode, string>>
