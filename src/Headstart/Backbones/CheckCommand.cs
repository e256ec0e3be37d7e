using System.Text;
using Headstart.Learning.Backbones;

namespace Headstart.Backbones;

/// <summary>
/// <c>backbones check FILE [--id=… --size=…]</c>: tries a network and prints its manifest. The host runs this command on uploaded files,
/// see <see cref="CheckProcess"/>.
/// </summary>
public static class CheckCommand
{
    public static bool Asked(string[] args) => args is ["backbones", "check", _, ..];

    /// <returns>Exit code: 0 if the file can be used.</returns>
    public static int Run(string[] args)
    {
        VolunteerForTheKernel();
        try
        {
            Console.WriteLine(Encoding.UTF8.GetString(BackboneCheck.Run(args[2], Given(args)).ToJson()));
            return 0;
        }
        catch (BackboneException e)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }

    /// <summary>The options after the file's path.</summary>
    /// <exception cref="BackboneException">An option has an invalid value.</exception>
    internal static BackboneDescription Given(string[] args)
    {
        var options = new ConfigurationBuilder().AddCommandLine([.. args.Skip(3)]).Build();
        return BackboneFields.Read(name => options[name], options["name"] ?? Path.GetFileName(args[2]));
    }

    /// <summary>Makes the kernel kill this process, not the host, when memory runs out.</summary>
    private static void VolunteerForTheKernel()
    {
        try
        {
            File.WriteAllText("/proc/self/oom_score_adj", "1000");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Not Linux.
        }
    }
}
