import { createHash } from 'node:crypto'

const TEXTS = {
  en: {
    lang: 'en',
    title: 'Log in',
    user: 'User',
    password: 'Password',
    submit: 'Log in',
    wrong: 'User or password is wrong.',
    slow: 'Too many wrong attempts. Try again in {seconds} s.',
    foreign:
      'This form was sent by a page of another origin. Behind a reverse proxy: it has to pass the Host header, or to be among TRUSTED_PROXIES.',
    hint: 'No password yet? The first start writes it to its log (docker compose logs node-red).',
  },
  zh: {
    lang: 'zh-CN',
    title: '登录',
    user: '用户名',
    password: '密码',
    submit: '登录',
    wrong: '用户名或密码不正确。',
    slow: '错误次数过多，请在 {seconds} 秒后再试。',
    foreign: '这个表单来自其他来源的页面。如果前面有反向代理，请让它原样传递 Host 请求头，或把它写进 TRUSTED_PROXIES。',
    hint: '还没有密码？首次启动时会写在日志里（docker compose logs node-red）。',
  },
}

const STYLE = `:root{color-scheme:light dark;--line:#8888;--accent:#8f0000}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;font:16px/1.5 system-ui,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif}
form{width:min(22rem,100vw);padding:2rem;display:grid;gap:1rem}
h1{margin:0;font-size:1.5rem}
h1 small{display:block;font-size:1rem;font-weight:normal;opacity:.7}
label{display:grid;gap:.25rem}
input{font:inherit;padding:.6rem;border:1px solid var(--line);border-radius:.4rem;background:Field;color:FieldText}
button{font:inherit;padding:.7rem;border:0;border-radius:.4rem;background:var(--accent);color:#fff;cursor:pointer}
[role=alert]{margin:0;padding:.6rem;border-left:4px solid #d33;background:#d332}
.hint{margin:0;font-size:.85rem;opacity:.7;overflow-wrap:anywhere}`

// Never the configured user name: strangers need not learn whether it differs.
const USUAL_USER = 'admin'

export type SignInProblem = { kind: 'wrong' } | { kind: 'foreign' } | { kind: 'slow'; seconds: number }

/** Headers that allow the page only to show itself and to send its form. */
export const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
}

/** The login page in English or, for browsers that ask for it, in Chinese. */
export function renderSignInPage(options: {
  acceptLanguage: string
  next: string
  /** The user name typed before. */
  user?: string | undefined
  problem?: SignInProblem
}): string {
  const texts = prefersChinese(options.acceptLanguage) ? TEXTS.zh : TEXTS.en
  return `<!doctype html>
<html lang="${texts.lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>${texts.title} · Node-RED TCP</title>
<style>${STYLE}</style>
</head>
<body>
<form method="post">
<h1>Node-RED TCP<small>${texts.title}</small></h1>
${renderProblem(texts, options.problem)}
<label>${texts.user}<input name="username" autocomplete="username" value="${escapeHtml(options.user ?? USUAL_USER)}" required></label>
<label>${texts.password}<input name="password" type="password" autocomplete="current-password" required autofocus></label>
<input type="hidden" name="next" value="${escapeHtml(options.next)}">
<button>${texts.submit}</button>
<p class="hint">${texts.hint}</p>
</form>
</body>
</html>
`
}

function renderProblem(texts: (typeof TEXTS)['en'], problem: SignInProblem | undefined): string {
  if (problem === undefined) return ''
  const text = problem.kind === 'slow' ? texts.slow.replace('{seconds}', String(problem.seconds)) : texts[problem.kind]
  return `<p role="alert">${text}</p>`
}

function prefersChinese(acceptLanguage: string): boolean {
  return /^\s*zh\b/i.test(acceptLanguage)
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
