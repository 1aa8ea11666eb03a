/// What a new password must be. Says nothing of the password where it is not.
public enum PasswordRule {
    public static let text = "a password has 8 to 256 bytes, no control characters, and does not begin with \(TokenText.prefix)"
    /// Longer ones are no passwords, and are not hashed.
    static let longest = 256

    public static func allows(_ password: String) -> Bool {
        (8...Self.longest).contains(password.utf8.count) && !password.utf8.starts(with: TokenText.prefix.utf8)
            && password.unicodeScalars.allSatisfy(Self.isVisible)
    }

    /// One that nobody can foresee: 24 characters, 139 bits.
    public static func random(_ random: RandomSource) -> String { RandomText.make(24, of: RandomText.distinct, random) }

    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.generalCategory != .control }
}
