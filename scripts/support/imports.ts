import { cruise, type ICruiseResult } from 'dependency-cruiser'

/** One import. `to`: a path from the root, else the name of a package or of a module of Node.js. */
export type Import = { from: string; to: string; core: boolean; typeOnly: boolean; circle: readonly string[] | undefined }

const FOLDERS = ['settings.ts', 'src', 'scripts', 'test', 'bench']

/** All imports of the sources, types and dynamic ones included. `home`: the root of the tree. */
export async function findImports(home: string): Promise<Import[]> {
  const { output } = await cruise(FOLDERS, {
    baseDir: home,
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(node_modules|dist)/' },
    validate: true,
    ruleSet: { forbidden: [{ name: 'no-circle', severity: 'error', from: {}, to: { circular: true } }] },
  })
  return (output as ICruiseResult).modules.flatMap(({ source, dependencies }) =>
    dependencies.map(({ resolved, coreModule, dependencyTypes, cycle, couldNotResolve, module }) => ({
      from: source,
      to: couldNotResolve ? module : resolved,
      core: coreModule,
      typeOnly: dependencyTypes.includes('type-only'),
      circle: cycle?.map(({ name }) => name),
    })),
  )
}
