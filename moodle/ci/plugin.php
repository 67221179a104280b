<?php
// A plugin's folder, as the checks see it.

/**
 * A folder that is called as its component: local_mnetd.
 */
class plugin {
    /** @var string its folder */
    public $folder;

    /** @var string such as local_mnetd */
    public $component;

    /** @var string[][] tokens by file, each as token_get_all gives them, always as arrays */
    private $tokens = [];

    /**
     * Looks at a folder.
     *
     * @param string $folder
     */
    public function __construct(string $folder) {
        $this->folder = $folder;
        $this->component = basename($folder);
    }

    /**
     * Its name without the type: mnetd.
     *
     * @return string
     */
    public function name(): string {
        return explode('_', $this->component, 2)[1];
    }

    /**
     * Where it stands in a Moodle: local/mnetd.
     *
     * @return string
     */
    public function path(): string {
        return implode('/', explode('_', $this->component, 2));
    }

    /**
     * All its files of a kind, from its folder on.
     *
     * @param string $extension
     * @return string[]
     */
    public function files(string $extension = 'php'): array {
        $found = [];
        $all = new RecursiveIteratorIterator(new RecursiveDirectoryIterator($this->folder, FilesystemIterator::SKIP_DOTS));
        foreach ($all as $file) {
            if ($file->getExtension() === $extension) {
                $found[] = substr($file->getPathname(), strlen($this->folder) + 1);
            }
        }
        sort($found);
        return $found;
    }

    /**
     * The text of one of its files.
     *
     * @param string $file
     * @return string
     */
    public function text(string $file): string {
        return file_get_contents("$this->folder/$file");
    }

    /**
     * The tokens of one of its PHP files without white space and comments, each as [kind, text, line].
     *
     * @param string $file
     * @return array[]
     */
    public function tokens(string $file): array {
        if (!isset($this->tokens[$file])) {
            $line = 1;
            $kept = [];
            foreach (token_get_all($this->text($file)) as $token) {
                $token = is_array($token) ? $token : [$token, $token, $line];
                $line = $token[2];
                if (!in_array($token[0], [T_WHITESPACE, T_COMMENT, T_DOC_COMMENT], true)) {
                    $kept[] = $token;
                }
            }
            $this->tokens[$file] = $kept;
        }
        return $this->tokens[$file];
    }

    /**
     * The keys of its English strings with their lines, in the order they stand in, repeated ones too.
     *
     * @return array[] of [key, line]
     */
    public function strings(): array {
        $keys = [];
        $file = "lang/en/$this->component.php";
        if (!is_file("$this->folder/$file")) {
            return [];
        }
        $tokens = $this->tokens($file);
        foreach ($tokens as $i => $token) {
            if ($token[0] === T_VARIABLE && $token[1] === '$string' && ($tokens[$i + 2][0] ?? null) === T_CONSTANT_ENCAPSED_STRING) {
                $keys[] = [literal($tokens[$i + 2]), $token[2]];
            }
        }
        return $keys;
    }

    /**
     * One fault in words.
     *
     * @param string $file
     * @param int $line 0 if it is of the whole file
     * @param string $what
     * @return string
     */
    public function fault(string $file, int $line, string $what): string {
        return "$this->component/$file" . ($line ? ":$line" : '') . ": $what";
    }
}

/**
 * What a quoted string of PHP says.
 *
 * @param array $token
 * @return string
 */
function literal(array $token): string {
    return stripslashes(substr($token[1], 1, -1));
}
